#pragma once

#include <weir/keras.h>

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace weir::cli {

struct DemoOptions {
  std::string output_dir = "weir_demo";
  std::string json;  // file that gets every figure; empty: none
  int threads = 0;   // 0: all
  int epochs = 20;
  bool train = true;
};

/// The model of the tutorials: 28x28 -> Flatten -> 3 x Dense(256, relu) -> Dense(10, softmax).
keras::Model tutorial_model();

/// "== 3. Training", a line apart.
void heading(const std::string& text);
bool same_bits(const Tensor& a, const Tensor& b);

/// Eager against graph, for batches of 100 and 1. Adds "bitwise_equal" and "timing".
void demo_timing(const keras::Model& model, nlohmann::json& figures);

/// Trains on the digits, in graph mode and eagerly; writes logs, saves, runs the saved model in
/// another process. Adds "test_accuracy", "training_bitwise_equal" and "saved_graph_equal".
void demo_training(const DemoOptions& options, nlohmann::json& figures);

}  // namespace weir::cli
