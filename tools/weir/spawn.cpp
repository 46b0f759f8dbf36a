#include "spawn.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weir/error.h>

#include <cerrno>
#include <cstring>

extern char** environ;

namespace weir::cli {
namespace {

std::string own_path() {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  return n > 0 ? std::string(path, std::size_t(n)) : "weir";
}

[[noreturn]] void fail(const std::string& program, const std::string& reason) {
  throw Error({Code::internal, "cannot run '" + program + "'", {}, reason, "exit code 0", {}});
}

}  // namespace

void run_self(const std::vector<std::string>& arguments) {
  const std::string program = own_path();
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& a : arguments)
    argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  pid_t child = 0;
  if (const int e = posix_spawn(&child, program.c_str(), nullptr, nullptr, argv.data(), environ);
      e != 0)
    fail(program, std::strerror(e));
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail(program, std::strerror(errno));
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    fail(program,
         WIFEXITED(status) ? "exit code " + std::to_string(WEXITSTATUS(status)) : "it was killed");
}

}  // namespace weir::cli
