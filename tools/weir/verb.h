#pragma once

#include <CLI/CLI.hpp>

/// One function a verb of the command line: adds the subcommand, its options, and what it does.
namespace weir::cli {

void add_bench(CLI::App& app);
void add_demo(CLI::App& app);
void add_devices(CLI::App& app);
void add_ops(CLI::App& app);
void add_run(CLI::App& app);
void add_show(CLI::App& app);

}  // namespace weir::cli
