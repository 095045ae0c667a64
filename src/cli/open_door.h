// Opens the connection that a tool's options ask for, and the layers in it.
//
// Thread: the tool's one. Blocks until MQTT can be spoken, for the timeouts of net::ClientSocket
// and net::ClientStream.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/tool_options.h"
#include "net/client_stream.h"

namespace cli {

// The error is the line that the tool prints, without its end.
base::Result<std::unique_ptr<net::ClientStream>, std::string> open_door(const ToolOptions& options);

}  // namespace cli
