#include <weir/npy.h>
#include <weir/onnx.h>
#include <weir/saved_model.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include "inputs.h"
#include "platform/thread_pool.h"
#include "verb.h"

namespace weir::cli {
namespace {

struct RunOptions {
  std::string model;
  std::string signature = kServingDefault;
  std::vector<std::string> inputs;
  std::string output_dir = ".";
  int threads = 0;
};

/// '/' and ':' of an output's name would leave the directory, or not be allowed in it.
std::string without_separators(std::string name) {
  for (char& c : name) {
    if (c == '/' || c == ':' || c == '\\') c = '_';
  }
  return name;
}

/// By output: a file of its own. An output that can have its very name gets it; "a/b" beside "a_b"
/// becomes "a_b-2".
std::vector<std::string> file_names(const NamedTensors& outputs) {
  std::set<std::string> taken;
  for (const auto& [name, value] : outputs)
    taken.insert(name);
  std::vector<std::string> names;
  for (const auto& [name, value] : outputs) {
    std::string file = without_separators(name);
    if (file != name) {
      const std::string wanted = file;
      for (int i = 2; !taken.insert(file).second; ++i)
        file = wanted + "-" + std::to_string(i);
    }
    names.push_back(file + ".npy");
  }
  return names;
}

NamedTensors call_model(const RunOptions& options, const NamedTensors& inputs) {
  if (is_onnx(options.model)) return onnx::load(options.model).call(inputs);
  return saved_model::load(options.model).signatures[options.signature](inputs);
}

void run(const RunOptions& options) {
  if (options.threads > 0) platform::set_threads(options.threads);
  const NamedTensors inputs = read_inputs(options.inputs);
  const NamedTensors outputs = call_model(options, inputs);
  std::error_code ignored;  // save_npy names the file that it cannot write
  std::filesystem::create_directories(options.output_dir, ignored);
  const std::vector<std::string> files = file_names(outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    save_npy(options.output_dir + "/" + files[i], outputs[i].second);
}

}  // namespace

void add_run(CLI::App& app) {
  auto* verb =
      app.add_subcommand("run", "Run a saved model: read .npy files, write one for each output");
  auto options = std::make_shared<RunOptions>();
  verb->add_option("model", options->model, "a SavedModel directory or an .onnx file")->required();
  verb->add_option("--signature", options->signature, "what to run")->capture_default_str();
  verb->add_option("--input", options->inputs, "NAME=FILE.npy, once for each input");
  verb->add_option("--output-dir", options->output_dir, "where OUTPUT.npy go")
      ->capture_default_str();
  verb->add_option("--threads", options->threads, "threads to use; default: all")
      ->check(CLI::Range(1, platform::kMaxThreads));
  verb->callback([options] { run(*options); });
}

}  // namespace weir::cli
