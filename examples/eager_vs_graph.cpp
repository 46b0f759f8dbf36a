/// The tutorials' program: one model, called 1,000 times eagerly and as a graph.
#include <weir/weir.h>

#include <iostream>

using namespace weir;
using namespace weir::keras;
using namespace weir::keras::layers;

int main() {
  std::cout << "Eager execution: " << std::boolalpha << executing_eagerly() << "\n";
  for (const PhysicalDevice& d : list_physical_devices())
    std::cout << d.name << ": " << d.description << (d.available ? "" : ", skipped: " + d.reason)
              << "\n";

  auto inputs = Input({28, 28});
  auto x = Flatten()(inputs);
  x = Dense(256, "relu")(x);
  x = Dense(256, "relu")(x);
  x = Dense(256, "relu")(x);
  auto outputs = Dense(10, "softmax")(x);
  Tensor input_data = random::uniform({100, 28, 28});

  Model eager_model(inputs, outputs);
  std::cout << "Eager time: " << timeit([&] { eager_model(input_data); }, 1000) << "\n";

  auto graph_model = function(eager_model);
  std::cout << "Graph time: " << timeit([&] { graph_model(input_data); }, 1000) << "\n";

  // The graph, traced, for TensorBoard.
  SummaryWriter log("logs/eager_vs_graph");
  log.graph(
      graph_def(graph_model.get_concrete_function(TensorSpec{{100, 28, 28}, DType::float32, "x"})));
  log.close();

  // Saved: `weir run saved_model --input x=x.npy` needs none of this code.
  saved_model::save(
      "saved_model",
      {{.function = eager_model.concrete_function(), .inputs = {"x"}, .outputs = {"y"}}});
}
