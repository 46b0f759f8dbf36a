/// weir demo: the main job, end to end.
#include "demo.h"

#include <weir/device.h>
#include <weir/random.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "io/file/file.h"
#include "platform/thread_pool.h"
#include "verb.h"

namespace weir::cli {
namespace {

void write_json(const std::string& path, const nlohmann::json& figures) {
  io::write_file(path, figures.dump(2) + "\n");
}

constexpr double kWantedAccuracy = 0.97;

/// Throws if a comparison failed or the model did not learn: the figures are written by then.
void check(const nlohmann::json& figures) {
  std::string failed;
  for (const char* name : {"bitwise_equal", "training_bitwise_equal", "saved_graph_equal"}) {
    if (!figures.value(name, true)) failed += (failed.empty() ? "" : ", ") + std::string(name);
  }
  const double accuracy = figures.value("test_accuracy", 1.0);
  if (accuracy < kWantedAccuracy)
    failed += (failed.empty() ? "" : ", ") + ("test_accuracy " + std::to_string(accuracy));
  if (failed.empty()) return;
  throw Error({Code::internal, "the demo's own checks failed", {}, failed, "equal bits, 97 %", {}});
}

void demo(const DemoOptions& options) {
  if (options.threads > 0) platform::set_threads(options.threads);
  nlohmann::json figures;
  random::set_seed(42);

  heading("1. The model of the tutorials");
  const keras::Model model = tutorial_model();
  std::printf("%s", model.summary().c_str());
  for (const PhysicalDevice& d : list_physical_devices()) {
    std::printf("%s: %s\n", d.name.c_str(), d.description.c_str());
    if (!d.available) std::printf("  skipped: %s\n", d.reason.c_str());
  }
  figures["threads"] = platform::threads();

  heading("2. Eagerly and as a graph");
  demo_timing(model, figures);
  if (options.train) demo_training(options, figures);
  if (!options.json.empty()) write_json(options.json, figures);

  heading("What to open next");
  if (options.train)
    std::printf("tensorboard --logdir %s/logs\n", options.output_dir.c_str());
  else
    std::printf("weir demo                        # with training, logs and a saved model\n");
  std::printf("examples/eager_vs_graph.cpp      # this program in 40 lines\n");
  std::printf(
      "docs/guide.md                    # eager, graphs, training, files, errors, threads\n");
  check(figures);
}

}  // namespace

void heading(const std::string& text) {
  std::printf("\n== %s\n", text.c_str());
  std::fflush(stdout);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.raw_data(), b.raw_data(), std::size_t(a.nbytes())) == 0;
}

keras::Model tutorial_model() {
  using namespace keras::layers;
  auto inputs = keras::Input({28, 28});
  auto x = Flatten()(inputs);
  x = Dense(256, "relu")(x);
  x = Dense(256, "relu")(x);
  x = Dense(256, "relu")(x);
  return keras::Model(inputs, Dense(10, "softmax")(x));
}

void add_demo(CLI::App& app) {
  auto* verb = app.add_subcommand(
      "demo",
      "The main job: a model run eagerly and as a graph, trained, saved, and seen in TensorBoard");
  auto options = std::make_shared<DemoOptions>();
  verb->add_option("--output-dir", options->output_dir, "where logs and the saved model go")
      ->capture_default_str();
  verb->add_option("--json", options->json, "write every figure to this file");
  verb->add_option("--threads", options->threads, "threads to use; default: all")
      ->check(CLI::Range(1, platform::kMaxThreads));
  verb->add_option("--epochs", options->epochs, "how long to train")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_flag("!--no-train", options->train, "only the comparison of eager and graph");
  verb->callback([options] { demo(*options); });
}

}  // namespace weir::cli
