/// isa_guard PROGRAM [ARGUMENT...]: runs the program if this machine has the instruction set that
/// WEIR_ISA names; else says why not and returns 77, which ctest shows as skipped.
#include <unistd.h>

#include <cstdio>

#include "platform/cpu_features.h"

int main(int, char** argv) {
  if (*weir::platform::isa_note()) {
    std::printf("skipped: %s\n", weir::platform::isa_note());
    return 77;
  }
  if (argv[1]) execv(argv[1], argv + 1);
  std::perror("isa_guard");
  return 1;
}
