// A stranger's program: uses the installed library through its public headers only.

#include <weir/version.h>

#include <cstdio>
#include <cstring>

int main() {
  std::printf("weir %s\n", weir::version());
  return std::strchr(weir::version(), '.') != nullptr ? 0 : 1;
}
