#include "net/unix_socket.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <cstdlib>
#include <fstream>

#include "net/fixture.h"

namespace net {
namespace {

struct Folder {
    Folder() { EXPECT_NE(::mkdtemp(name.data()), nullptr); }
    ~Folder() {
        ::unlink(path().c_str());
        ::rmdir(name.c_str());
    }
    std::string path() const { return name + "/socket"; }
    bool is_there() const {
        struct stat file {};
        return ::lstat(path().c_str(), &file) == 0;
    }
    std::string name = "/tmp/nightjar-unix-XXXXXX";
};

int connect_to(const std::string& path, Fd& fd) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    fd = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

TEST(UnixSocket, AcceptsAndIsRemovedWithItsListener) {
    const Folder folder;
    Host host;
    Listener& listener = host.listen({.unix_path = folder.path()});
    Fd client;
    ASSERT_EQ(connect_to(folder.path(), client), 0);
    ASSERT_TRUE(host.turn_until([&] { return host.recorders.size() == 1; }));
    EXPECT_TRUE(host.recorders[0]->stream->peer().is_unix());
    host.loop->close(listener);
    EXPECT_FALSE(folder.is_there());
}

TEST(UnixSocket, HasThePermissionsThatItIsGiven) {
    const mode_t before = ::umask(0);
    for (const mode_t mode : {mode_t{0600}, mode_t{0}}) {
        const Folder folder;
        UnixSocket socket;
        ASSERT_TRUE(socket.listen(folder.path(), 1, mode));
        struct stat file {};
        ASSERT_EQ(::lstat(folder.path().c_str(), &file), 0);
        EXPECT_EQ(file.st_mode & 0777, mode == 0 ? mode_t{0777} : mode);
    }
    ::umask(before);
}

TEST(UnixSocket, OneThatAProcessHasLeftBehindIsReplaced) {
    const Folder folder;
    {
        UnixSocket first;
        ASSERT_TRUE(first.listen(folder.path(), 1));
        ASSERT_EQ(::rename(folder.path().c_str(), (folder.path() + "2").c_str()), 0);
    }
    ASSERT_EQ(::rename((folder.path() + "2").c_str(), folder.path().c_str()), 0);
    UnixSocket second;
    EXPECT_TRUE(second.listen(folder.path(), 1));
}

TEST(UnixSocket, WhereSomebodyListensOrAFileStandsItFails) {
    const Folder folder;
    UnixSocket first;
    const auto listening = first.listen(folder.path(), 1);
    ASSERT_TRUE(listening);
    UnixSocket second;
    EXPECT_EQ(second.listen(folder.path(), 1).error(), folder.path() + ": Address already in use");
    first.remove();
    std::ofstream(folder.path()) << "precious";
    EXPECT_EQ(second.listen(folder.path(), 1).error(), folder.path() + ": File exists");
    EXPECT_TRUE(folder.is_there());
    const std::string too_long(200, 'x');
    EXPECT_EQ(second.listen(too_long, 1).error(), too_long + ": File name too long");
}

TEST(UnixSocket, AnotherOnesFileIsNotRemoved) {
    const Folder folder;
    UnixSocket socket;
    ASSERT_TRUE(socket.listen(folder.path(), 1));
    ::unlink(folder.path().c_str());
    std::ofstream(folder.path()) << "precious";
    socket.remove();
    EXPECT_TRUE(folder.is_there());
}

}  // namespace
}  // namespace net
