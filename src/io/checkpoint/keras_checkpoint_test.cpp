// Models and optimisers, and those of Keras (tests/golden/make_checkpoints.py).
#include <gtest/gtest.h>
#include <weir/checkpoint.h>
#include <weir/error.h>
#include <weir/keras.h>
#include <weir/npy.h>

#include <cstring>

#include "platform/test_directory.h"

namespace weir::keras {
namespace {

using namespace layers;
using platform::TestDirectory;

std::string data(const std::string& name) {
  return std::string(WEIR_TESTDATA) + "/" + name;
}

Tensor find(const NamedTensors& file, const std::string& name) {
  for (const auto& [key, tensor] : file) {
    if (key == name) return tensor;
  }
  ADD_FAILURE() << "no " << name;
  return {};
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.raw_data(), b.raw_data(), std::size_t(a.nbytes())) == 0;
}

std::vector<Layer> three_layers() {
  return {Dense(4, "relu"), BatchNormalization(), Dense(2)};
}

Model sequential() {
  return Sequential(Input({3}), three_layers());
}

Model branched() {
  const auto list = three_layers();
  const Symbol x = Input({3});
  return Model(x, list[2](Add()(std::vector<Symbol>{list[1](list[0](x)), Dense(4)(x)})));
}

// Restores what Keras wrote and compares every weight and slot with what it had, bit for bit.
void expect_restored(const std::string& name, const Model& model, const Optimizer& optimizer) {
  const Variable step(Tensor(std::int64_t{0}), "step");
  const Checkpoint checkpoint(model, optimizer, step);
  const RestoreStatus status = checkpoint.read(data(name));
  status.assert_consumed();
  EXPECT_EQ(step.value().item<std::int64_t>(), 5);
  const NamedTensors expected = load_npz(data(name + "_expected.npz"));
  const auto slots = optimizer.variables();
  for (std::size_t i = 0; i < slots.size(); ++i)
    EXPECT_TRUE(same_bytes(slots[i].value(), find(expected, "o" + std::to_string(i))))
        << name << " slot " << i;
  const Tensor y = model(find(expected, "x"));
  const Tensor want = find(expected, "y");
  for (std::size_t i = 0; i < std::size_t(want.size()); ++i)
    EXPECT_NEAR(y.data<float>()[i], want.data<float>()[i], 1e-5) << name;
}

TEST(KerasCheckpoint, RestoresModelsAndOptimizersOfKeras) {
  expect_restored("adam", sequential(), optimizers::Adam(0.5));
  expect_restored("momentum", branched(), optimizers::SGD({.momentum = 0.9}));
  expect_restored(
      "rmsprop", sequential(), optimizers::RMSprop({.momentum = 0.5, .centered = true}));
}

TEST(KerasCheckpoint, HasTheWeightsOfASequentialWithoutInput) {
  const Sequential model(three_layers());
  model(Tensor::zeros({1, 3}));
  const RestoreStatus status = Checkpoint(model).read(data("adam"));
  EXPECT_TRUE(status.missing().empty());
}

TEST(KerasCheckpoint, SaysThatAModelIsNotBuilt) {
  const Sequential model(three_layers());
  EXPECT_THROW(Checkpoint(model).read(data("adam")).assert_consumed(), Error);
}

struct Training {
  Training() : x(Tensor::zeros({8, 3})) {
    random::set_seed(5);
    std::vector<float> values(24);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = float(i % 7) / 7 - 0.4f;
    x = Tensor::from(values, {8, 3});
    model =
        Sequential(Input({3}), {Dense(6, "relu"), BatchNormalization(), Dropout(0.3), Dense(2)});
    model.compile(optimizers::Adam(0.01), Loss("mse"));
  }
  Checkpoint checkpoint() const {
    return Checkpoint(model, model.optimizer(), random::default_generator());
  }
  void train(int steps) const {
    for (int i = 0; i < steps; ++i)
      model.train_on_batch(x, x[{Index(Slice{0, 8}), Index(Slice{0, 2})}]);
  }
  std::vector<Tensor> state() const {
    std::vector<Tensor> values;
    for (const Variable& v : model.weights())
      values.push_back(v.value());
    for (const Variable& v : model.optimizer().variables())
      values.push_back(v.value());
    return values;
  }

  Tensor x;
  Model model;
};

TEST(KerasCheckpoint, ResumedTrainingEqualsTheUninterruptedOne) {
  const TestDirectory directory;
  std::vector<Tensor> expected;
  {
    const Training whole;
    whole.train(5);
    whole.checkpoint().write(directory / "ck");
    whole.train(5);
    expected = whole.state();
  }
  const Training resumed;
  random::set_seed(99);
  resumed.checkpoint().read(directory / "ck").assert_consumed();
  resumed.train(5);
  const std::vector<Tensor> found = resumed.state();
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_TRUE(same_bytes(found[i], expected[i])) << i;
}

TEST(KerasCheckpoint, ACompiledModelBringsItsOptimizer) {
  const TestDirectory directory;
  const Training a;
  a.train(2);
  Checkpoint(a.model).write(directory / "ck");
  const Training b;
  Checkpoint(b.model).read(directory / "ck").assert_consumed();
  EXPECT_EQ(b.model.optimizer().iterations().value().item<std::int64_t>(), 2);
  EXPECT_EQ(b.state().size(), a.state().size());
}

struct Twice : LayerBase {
  Twice() {
    first = track(Dense(3), "first");
    second = track(Dense(3));
  }
  Tensor call(const Tensor& x, bool training) override {
    return second(first(x, training), training);
  }
  Layer first, second;
};

TEST(KerasCheckpoint, NamesTheLayersOfYourOwn) {
  const TestDirectory directory;
  const Layer layer = make_layer<Twice>();
  layer(Tensor::zeros({1, 3}));
  Checkpoint({{"net", layer}}).write(directory / "ck");
  const CheckpointReader reader = load_checkpoint(directory / "ck");
  EXPECT_TRUE(reader.contains("net/first/_kernel/.ATTRIBUTES/VARIABLE_VALUE"));
  const Layer other = make_layer<Twice>();
  other(Tensor::zeros({1, 3}));
  Checkpoint({{"net", other}}).read(directory / "ck").assert_consumed();
  EXPECT_TRUE(same_bytes(other.weights()[2].value(), layer.weights()[2].value()));
}

}  // namespace
}  // namespace weir::keras
