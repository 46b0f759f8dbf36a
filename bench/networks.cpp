// Whole models: the tutorials' perceptron and a small convolutional network, eager and traced,
// inference and training.
#include "harness.h"
#include "models.h"

namespace weir::bench {
namespace {

std::string suffix(int batch, int threads) {
  return "/batch:" + std::to_string(batch) + "/threads:" + std::to_string(threads);
}

struct Network {
  const char* name;
  keras::Model (*make)(bool logits);
  Shape sample;
  double (*flops)(int batch);
  double (*training_flops)(int batch);
};

Tensor images(const Network& n, int batch) {
  Shape shape{batch};
  for (Dim d : n.sample.dims())
    shape.push_back(d);
  return random::uniform(shape);
}

/// Weights and input of one pass, and what is between them.
double bytes_read(const Network& n) {
  double elements = double(n.sample.size());
  for (const Variable& v : n.make(false).weights())
    elements += double(v.shape().size());
  return 4 * elements;
}

void add_inference(const Network& n, int batch, int threads) {
  Case what{.threads = threads};
  if (batch == 1) {
    what.bytes = bytes_read(n);
  } else {
    what.flops = n.flops(batch);
  }
  what.name = std::string(n.name) + "/eager" + suffix(batch, threads);
  add_case(what,
           [=] { return [model = n.make(false), x = images(n, batch)] { keep_alive(model(x)); }; });
  what.name = std::string(n.name) + "/graph" + suffix(batch, threads);
  add_case(what, [=] {
    return [model = function(n.make(false)), x = images(n, batch)] { keep_alive(model(x)); };
  });
}

void add_training(const Network& n, int batch, int threads) {
  Case what{.flops = n.training_flops(batch), .threads = threads};
  const Tensor labels = random::uniform_int({batch}, 0, 10);
  what.name = std::string(n.name) + "/train_eager" + suffix(batch, threads);
  add_case(what, [=] {
    return [step = TrainingStep(n.make(true)), x = images(n, batch), labels] {
      keep_alive(step(x, labels));
    };
  });
  what.name = std::string(n.name) + "/train_graph" + suffix(batch, threads);
  add_case(what, [=] {
    return [step = function(TrainingStep(n.make(true))), x = images(n, batch), labels] {
      keep_alive(step(x, labels));
    };
  });
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const Network perceptron{"mlp", mlp, {28, 28}, mlp_flops, mlp_training_flops};
  const Network convolutional{"cnn", cnn, {28, 28, 1}, cnn_flops, cnn_training_flops};
  for (const int threads : {1, 2}) {
    add_inference(perceptron, 100, threads);
    add_inference(perceptron, 1, threads);
    add_training(perceptron, 100, threads);
    add_inference(convolutional, 32, threads);
    add_training(convolutional, 32, threads);
  }
  return run_cases(argc, argv);
}
