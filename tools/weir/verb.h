#pragma once

#include <CLI/CLI.hpp>
#include <string>

/// One function a verb of the command line: adds the subcommand, its options, and what it does.
namespace weir::cli {

/// Does the path name an ONNX model, and no directory of a SavedModel?
inline bool is_onnx(const std::string& path) {
  return path.ends_with(".onnx");
}

void add_bench(CLI::App& app);
void add_demo(CLI::App& app);
void add_devices(CLI::App& app);
void add_ops(CLI::App& app);
void add_run(CLI::App& app);
void add_show(CLI::App& app);

}  // namespace weir::cli
