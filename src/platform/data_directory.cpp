#include "platform/data_directory.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "platform/file.h"

namespace weir::platform {
namespace {

/// "<prefix>/share/weir" of a program that runs as <prefix>/bin/<name>, so that a moved
/// installation finds its data.
std::string beside_program() {
  char buffer[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", buffer, sizeof(buffer));
  if (length <= 0) return {};
  const std::string_view program(buffer, static_cast<size_t>(length));
  return join_path(parent_path(parent_path(program)), "share/weir");
}

}  // namespace

std::string data_path(std::string_view relative) {
  const char* chosen = std::getenv("WEIR_DATA_DIR");
  std::string path;
  for (const std::string& directory : {std::string(chosen != nullptr ? chosen : ""),
                                       beside_program(),
                                       std::string(WEIR_INSTALL_DATA_DIR),
                                       std::string(WEIR_SOURCE_DATA_DIR)}) {
    if (directory.empty()) continue;
    path = join_path(directory, relative);
    if (file_exists(path)) break;
  }
  return path;
}

}  // namespace weir::platform
