// From the start of a process to its result: `weir run` of the saved perceptron.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "harness.h"
#include "models.h"

extern char** environ;

namespace weir::bench {
namespace {

double mebibytes(const std::string& file) {
  return double(std::filesystem::file_size(file)) / (1 << 20);
}

/// Runs a program to its end; its largest resident size in MiB. Exits if it fails.
double run_program(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& w : words)
    arguments.push_back(const_cast<char*>(w.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  int status = -1;
  rusage usage{};
  if (posix_spawn(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0 ||
      wait4(child, &status, 0, &usage) != child || status != 0) {
    std::fprintf(stderr, "bench: %s failed\n", arguments[0]);
    std::exit(1);
  }
  return double(usage.ru_maxrss) / 1024;
}

void add_start_case(const std::string& program, const std::filesystem::path& directory) {
  auto resident = std::make_shared<double>(0);
  add_case({.name = "process/weir_run/mlp/batch:1",
            .wall = true,
            .figures =
                [=] {
                  return std::vector{std::pair{std::string("MiB"), *resident},
                                     std::pair{std::string("file_MiB"), mebibytes(program)}};
                }},
           [=] {
             const keras::Model model = mlp();
             saved_model::save(
                 directory / "mlp",
                 {{.function = model.concrete_function(), .inputs = {"x"}, .outputs = {"y"}}});
             save_npy(directory / "x.npy", random::uniform({1, 28, 28}));
             return [=] {
               *resident = run_program({program,
                                        "run",
                                        directory / "mlp",
                                        "--input",
                                        "x=" + (directory / "x.npy").string(),
                                        "--output-dir",
                                        directory});
             };
           });
}

/// One op on four numbers, in a program that links nothing but the ops.
void add_minimal_case(const std::string& program) {
  auto resident = std::make_shared<double>(0);
  add_case({.name = "process/minimal",
            .wall = true,
            .figures =
                [=] {
                  return std::vector{std::pair{std::string("MiB"), *resident},
                                     std::pair{std::string("file_MiB"), mebibytes(program)}};
                }},
           [=] { return [=] { *resident = run_program({program}); }; });
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("weir_bench_" + std::to_string(getpid()));
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::filesystem::create_directories(directory);
  weir::bench::add_start_case(folder / "weir", directory);
  weir::bench::add_minimal_case(folder / "weir_bench_minimal");
  const int code = weir::bench::run_cases(argc, argv);
  std::filesystem::remove_all(directory);
  return code;
}
