#include <weir/graph_def.h>
#include <weir/npy.h>
#include <weir/random.h>
#include <weir/saved_model.h>
#include <weir/summary.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "demo.h"
#include "digits.h"
#include "spawn.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;
using keras::layers::Dense;
using keras::layers::Dropout;
using keras::layers::Flatten;

/// The same weights each time: the seed is set first.
keras::Model digits_model() {
  random::set_seed(7);
  auto inputs = keras::Input({8, 8}, {.name = "image"});
  auto x = Flatten()(inputs);
  x = Dropout(0.2)(Dense(256, "relu")(x));
  x = Dropout(0.2)(Dense(128, "relu")(x));
  return keras::Model(inputs, Dense(10, "softmax")(x), "digits");
}

keras::History train(const keras::Model& model,
                     const Digits& d,
                     int epochs,
                     bool eagerly,
                     int verbose,
                     std::vector<keras::Callback> callbacks) {
  model.compile(keras::optimizers::Adam(0.002),
                "sparse_categorical_crossentropy",
                {"accuracy"},
                {.run_eagerly = eagerly});
  return model.fit(d.train_x,
                   d.train_y,
                   {.epochs = epochs,
                    .validation_data = std::pair(d.test_x, d.test_y),
                    .seed = 1,
                    .verbose = verbose,
                    .callbacks = std::move(callbacks)});
}

/// The graph as traced, and as optimised with what each node took.
void log_graphs(const std::string& log_dir, const keras::Model& model, const Tensor& x) {
  const ConcreteFunction f = function(model, {.name = "digits"})
                                 .get_concrete_function(TensorSpec{x.shape(), x.dtype(), "image"});
  SummaryWriter log(log_dir + "/graph");
  log.graph(graph_def(f));
  const ProfiledGraph p = profile_graph(f, {&x, 1});
  log.graph("optimised", p.graph_def, p.stats);
  log.close();
}

/// Runs the saved model by `weir run` in a process of its own and compares the outputs with the
/// model's.
bool saved_model_agrees(const std::string& dir, const keras::Model& model, const Tensor& x) {
  const std::string model_dir = dir + "/digits_model";
  saved_model::save(
      model_dir,
      {{.function = model.concrete_function(), .inputs = {"image"}, .outputs = {"probabilities"}}});
  save_npy(dir + "/image.npy", x);
  const std::string out = dir + "/run";
  std::printf("weir run %s --input image=%s/image.npy --output-dir %s\n",
              model_dir.c_str(),
              dir.c_str(),
              out.c_str());
  std::fflush(stdout);
  run_self({"run", model_dir, "--input", "image=" + dir + "/image.npy", "--output-dir", out});
  return same_bits(load_npy(out + "/probabilities.npy"), model.predict(x, x.dim(0)));
}

}  // namespace

void demo_training(const DemoOptions& options, nlohmann::json& figures) {
  const std::string& dir = options.output_dir;
  fs::create_directories(dir);
  const Digits d = load_digits();

  heading("3. Training on 1,437 handwritten digits, testing on 360");
  const keras::Model model = digits_model();
  const keras::History graph =
      train(model, d, options.epochs, false, 1, {keras::callbacks::TensorBoard(dir + "/logs")});
  const double accuracy = model.evaluate(d.test_x, d.test_y).at("accuracy");
  std::printf("test accuracy: %.2f %%\n", 100 * accuracy);
  figures["test_accuracy"] = accuracy;
  const keras::History eager = train(digits_model(), d, options.epochs, true, 0, {});
  const bool same_curve = graph["loss"] == eager["loss"];
  std::printf("the loss curve of the same training run eagerly is equal bit for bit: %s\n",
              same_curve ? "yes" : "NO");
  figures["training_bitwise_equal"] = same_curve;

  heading("4. Logs for TensorBoard");
  log_graphs(dir + "/logs", model, d.test_x.slice(0, 32));
  std::printf(
      "%s/logs: curves, histograms, the graph as traced and optimised, times and memory of its "
      "nodes\n",
      dir.c_str());

  heading("5. The saved model, run by another process that has none of its code");
  const bool equal = saved_model_agrees(dir, model, d.test_x);
  std::printf("its outputs are equal bit for bit: %s\n", equal ? "yes" : "NO");
  figures["saved_graph_equal"] = equal;
}

}  // namespace weir::cli
