// checkpoint_faults PROGRAM [--rounds N] [--seed S]
// The seven fault programs. The suite runs each with few rounds; --full gives the counts of a
// release.
#include <weir/error.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "faults.h"

namespace {

using namespace weir::faults;

struct Program {
  std::string_view name;
  int (*run)(const Options&);
  int rounds, full;
};

constexpr Program kPrograms[] = {
    {"kill", kill_while_saving, 20, 500},
    {"calls", failing_calls, 4, 1000},
    {"full_disk", full_disk, 30, 200},
    {"corruption", corruption, 400, 2000},
    {"power", power_loss, 3, 100},
    {"several", several_at_once, 40, 300},
    {"memory", failing_allocations, 40, 1000000},
};

int usage() {
  std::fprintf(stderr,
               "usage: checkpoint_faults PROGRAM [--rounds N | --full] [--seed S]\nprograms:");
  for (const Program& program : kPrograms)
    std::fprintf(stderr, " %s", program.name.data());
  std::fprintf(stderr, "\n");
  return 2;
}

int run(const Program& program, int argc, char** argv) {
  Options options{program.rounds, 1};
  for (int i = 2; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const bool has_value = i + 1 < argc;
    if (argument == "--full") {
      options.rounds = program.full;
    } else if (argument == "--rounds" && has_value) {
      options.rounds = std::atoi(argv[++i]);
    } else if (argument == "--seed" && has_value) {
      options.seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      return usage();
    }
  }
  const int result = program.run(options);
  return result == kSkipped ? kSkipped : result != 0;
}

}  // namespace

int main(int argc, char** argv) {
  for (const Program& program : kPrograms) {
    if (argc < 2 || program.name != argv[1]) continue;
    try {
      return run(program, argc, argv);
    } catch (const weir::Error& error) {
      std::fprintf(stderr, "checkpoint_faults: %s\n", error.what());
      return 1;
    }
  }
  return usage();
}
