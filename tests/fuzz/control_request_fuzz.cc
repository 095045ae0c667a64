// What comes in at the control socket: no bytes do harm, what is taken is a request that makes
// sense, and each line has one answer of one line.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "admin/control_answer.h"
#include "admin/control_request.h"
#include "mqtt/topic.h"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

class Echo : public admin::Controls {
public:
    admin::ReloadOutcome reload() override { return {}; }
    admin::Status status() const override { return {}; }
    void explain(const admin::Question& question, const admin::OnExplanation& done) override {
        const bool is_filter = question.access == broker::Access::subscribe;
        require(is_filter || mqtt::is_valid_topic_name(question.topic));
        done(admin::Explanation{.client_id = question.client_id,
                                .login = {.because = question.user.value_or("")},
                                .rights = {.because = question.topic}});
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    base::Bytes rest(data, size);
    Echo controls;
    for (;;) {
        const admin::NextLine next = admin::next_line(rest);
        if (next.status != admin::NextLine::Status::whole) return 0;
        require(next.consumed > next.line.size() && next.consumed <= rest.size());
        int answers = 0;
        admin::answer(next.line, controls, [&](const std::string& line) {
            ++answers;
            require(line.starts_with("{\"ok\":") && std::ranges::count(line, '\n') == 1);
        });
        require(answers == 1);
        rest = rest.subspan(next.consumed);
    }
}
