#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::io::checkpoint {

/// The file `checkpoint` of a directory, a CheckpointState in protobuf's text form: names of its
/// checkpoints, within the directory.
struct State {
  std::string latest;
  std::vector<std::string> all;    // oldest first
  std::vector<double> timestamps;  // seconds since 1970, one for each of `all`, or none
};

/// Names that lead out of the directory are left out. An unreadable text gives what came before.
State parse_state(std::string_view text, const std::string& directory);
std::string format_state(const State& state);

/// Of a directory without that file: nothing.
State read_state(const std::string& directory);
void write_state(const std::string& directory, const State& state);

}  // namespace weir::io::checkpoint
