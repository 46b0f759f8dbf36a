/// The command line `weir`. Exit codes: 0; 1 bad input or failure; 2 wrong usage; 3 something that
/// Weir does not support.

#include <weir/error.h>
#include <weir/version.h>

#include <cstdio>
#include <exception>
#include <new>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "verb.h"

namespace {

int report(const weir::Error& e) {
  const bool unsupported = e.code() == weir::Code::unimplemented;
  std::fprintf(
      stderr, "weir: %s: %s\n", unsupported ? "unsupported" : "error", e.one_line().c_str());
  return unsupported ? 3 : 1;
}

int report(const char* what) {
  std::fprintf(stderr, "weir: error: %s\n", what);
  return 1;
}

int run(int argc, char** argv) {
  CLI::App app("Weir: deep learning, eager and as a graph");
  app.set_version_flag("--version", std::string(weir::version()));
  app.require_subcommand(1);
  weir::cli::add_demo(app);
  weir::cli::add_run(app);
  weir::cli::add_bench(app);
  weir::cli::add_show(app);
  weir::cli::add_devices(app);
  weir::cli::add_ops(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return 0;
}

/// Fresh pages are most of what a short run costs: what was freed (a parsed file) serves again
/// (packed weights), where malloc by itself would return it to the system.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  try {
    return run(argc, argv);
  } catch (const weir::Error& e) {
    return report(e);
  } catch (const std::bad_alloc&) {
    return report("out of memory");
  } catch (const std::exception& e) {
    return report(e.what());
  }
}
