// interop_checkpoint write DIRECTORY      trains models, saves them and what they had
// interop_checkpoint read DIRECTORY       restores what TensorFlow saved there, says what it has
// The other half is checkpoint_check.py.
#include <weir/checkpoint.h>
#include <weir/keras.h>
#include <weir/npy.h>
#include <weir/weir.h>

#include <cstdio>
#include <string_view>

#include "io/bundle/bundle.h"

namespace {

using namespace weir;
using namespace weir::keras;

struct Case {
  std::string name;
  Model model;
  Optimizer optimizer;
};

std::vector<Layer> three_layers() {
  return {layers::Dense(4, "relu"), layers::BatchNormalization(), layers::Dense(2)};
}

Model branched() {
  const auto list = three_layers();
  const Symbol x = Input({3});
  const Symbol sum = layers::Add()(std::vector<Symbol>{list[1](list[0](x)), layers::Dense(4)(x)});
  return Model(x, list[2](sum));
}

Model convolutional() {
  return Sequential(Input({3}),
                    {layers::Dense(16),
                     layers::Reshape({4, 4, 1}),
                     layers::Conv2D(2, {3, 3}),
                     layers::Flatten(),
                     layers::Dense(2)});
}

std::vector<Case> cases() {
  return {{"adam", Sequential(Input({3}), three_layers()), optimizers::Adam(0.01)},
          {"momentum", branched(), optimizers::SGD({.momentum = 0.9})},
          {"rmsprop", branched(), optimizers::RMSprop({.momentum = 0.5, .centered = true})},
          {"sgd", convolutional(), optimizers::SGD(0.01)}};
}

Tensor samples() {
  std::vector<float> values(24);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = float(i % 7) / 7 - 0.4f;
  return Tensor::from(values, {8, 3});
}

void describe(const Case& c, const std::string& path) {
  NamedTensors tensors{{"x", samples()}, {"y", c.model(samples())}};
  for (const Variable& v : c.optimizer.variables())
    tensors.emplace_back("o" + std::to_string(tensors.size() - 2), v.value());
  save_npz(path, tensors);
}

void train(const Case& c) {
  const Tensor x = samples();
  c.model.compile(c.optimizer, Loss("mse"));
  for (int i = 0; i < 3; ++i)
    c.model.train_on_batch(x, x[{Index(Slice{0, 8}), Index(Slice{0, 2})}]);
}

void write_bundles(const std::string& directory) {
  NamedTensors tensors;
  for (int i = 1; i < 32; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (!is_valid(dtype) || dtype == DType::string) continue;
    tensors.emplace_back(std::string(name(dtype)), Tensor::ones({2, 3}, dtype));
  }
  tensors.emplace_back("empty", Tensor::zeros({0, 3}));
  tensors.emplace_back("scalar", Tensor(2.5));
  tensors.emplace_back("text", Tensor({"one", "", "three"}));
  for (int i = 0; i < 2; ++i) {  // the second replaces the first
    io::bundle::Writer writer(directory + "/dtypes", {.shard_bytes = i == 0 ? INT64_MAX : 200});
    for (const auto& [key, value] : tensors)
      writer.add(key, value);
    writer.commit();
  }
  for (int i = 0; i < 2; ++i) {  // one shard, named as one of two
    io::bundle::Writer writer(directory + "/parts");
    writer.add_part("w", {4, 3}, {{0, 0}, {2, 3}}, Tensor::full({2, 3}, 1.f));
    writer.add_part("w", {4, 3}, {{2, 0}, {2, 1}}, Tensor::full({2, 1}, 2.f));
    writer.add_part("w", {4, 3}, {{2, 1}, {2, 2}}, Tensor::full({2, 2}, 3.f));
    writer.commit();
  }
}

void write_all(const std::string& directory) {
  write_bundles(directory);
  for (const Case& c : cases()) {
    train(c);
    const CheckpointManager manager(
        Checkpoint(c.model, c.optimizer, Variable(Tensor(std::int64_t{5}), "step")),
        directory + "/" + c.name);
    manager.save();
    manager.save();
    describe(c, directory + "/" + c.name + ".npz");
  }
}

void read_all(const std::string& directory) {
  for (const Case& c : cases()) {
    const Variable step(Tensor(std::int64_t{0}), "step");
    Checkpoint(c.model, c.optimizer, step)
        .restore(latest_checkpoint(directory + "/" + c.name))
        .assert_consumed();
    if (step.value().item<std::int64_t>() != 5)
      throw Error({Code::data_loss, "step", {}, {}, {}, {}});
    describe(c, directory + "/" + c.name + ".npz");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc == 3 ? argv[1] : "";
  try {
    if (verb == "write") return write_all(argv[2]), 0;
    if (verb == "read") return read_all(argv[2]), 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::fprintf(stderr, "usage: interop_checkpoint write|read DIRECTORY\n");
  return 2;
}
