#include <gtest/gtest.h>
#include <weir/keras.h>
#include <weir/npy.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/random.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace weir::keras {
namespace {

using namespace layers;
namespace fs = std::filesystem;

struct Data {
  Tensor x, y;
};
/// Two classes that a plane divides.
Data half_planes(int n) {
  const Generator g = Generator::from_seed(7);
  const Tensor x = g.normal({n, 4});
  std::vector<std::int64_t> labels;
  for (int i = 0; i < n; ++i)
    labels.push_back(x.data<float>()[std::size_t(4 * i)] > 0);
  return {x, Tensor::from(labels)};
}

Model classifier() {
  random::set_seed(3);
  auto inputs = Input({4});
  return Model(inputs, Dense(2, "softmax")(Dense(8, "relu")(inputs)));
}

/// A directory that is gone after the test.
struct TempDir {
  fs::path path = fs::temp_directory_path() / ("weir_keras_" + std::to_string(::getpid()));
  TempDir() { fs::create_directories(path); }
  ~TempDir() { fs::remove_all(path); }
};

TEST(Fit, LearnsAndReportsIt) {
  const Data d = half_planes(256);
  Model model = classifier();
  model.compile(optimizers::Adam(0.01), "sparse_categorical_crossentropy", {"accuracy"});
  const History h = model.fit(d.x, d.y, {.epochs = 20, .validation_split = 0.25, .verbose = 0});
  ASSERT_EQ(h["loss"].size(), 20u);
  EXPECT_LT(h["loss"].back(), 0.5 * h["loss"].front());
  EXPECT_GT(h["val_accuracy"].back(), 0.9);
  const Logs logs = model.evaluate(d.x, d.y);
  EXPECT_GT(logs.at("accuracy"), 0.9);
  EXPECT_EQ(model.predict(d.x, 100).shape(), (Shape{256, 2}));
}

TEST(Fit, EagerAndGraphGiveTheSameBits) {
  const Data d = half_planes(70);  // the last batch is smaller
  std::vector<double> losses[2];
  for (bool eagerly : {false, true}) {
    random::set_seed(3);
    auto inputs = Input({4});
    Model model(inputs, Dense(2, "softmax")(Dropout(0.2)(Dense(8, "relu")(inputs))));
    model.compile(optimizers::Adam(0.01),
                  "sparse_categorical_crossentropy",
                  {"accuracy"},
                  {.run_eagerly = eagerly});
    losses[eagerly] = model.fit(d.x, d.y, {.epochs = 3, .verbose = 0})["loss"];
  }
  EXPECT_EQ(losses[0], losses[1]);
}

TEST(Fit, RefusesWhatMakesNoSense) {
  const Data d = half_planes(8);
  Model model = classifier();
  EXPECT_THROW(model.fit(d.x, d.y), Error);  // not compiled
  model.compile("sgd", "sparse_categorical_crossentropy");
  EXPECT_THROW(model.fit(d.x, d.y.slice(0, 4)), Error);
  EXPECT_THROW(model.fit(d.x, d.y, {.batch_size = 0}), Error);
  EXPECT_THROW(model.fit(d.x.slice(0, 0), d.y.slice(0, 0)), Error);
  EXPECT_THROW(model.fit(d.x, d.y, {.validation_split = 1.5}), Error);
}

TEST(Callbacks, EarlyStoppingEndsTrainingAndRestoresTheBestWeights) {
  const Data d = half_planes(64);
  Model model = classifier();
  model.compile(optimizers::SGD(0.0), "sparse_categorical_crossentropy");  // never improves
  const History h =
      model.fit(d.x,
                d.y,
                {.epochs = 10,
                 .shuffle = false,  // the same sum of losses, bit for bit
                 .verbose = 0,
                 .callbacks = {callbacks::EarlyStopping(
                     {.monitor = "loss", .patience = 2, .restore_best_weights = true})}});
  EXPECT_EQ(h.epochs, 3) << "the best epoch and two without improvement, as Keras counts";
  EXPECT_THROW(
      model.fit(d.x,
                d.y,
                {.verbose = 0, .callbacks = {callbacks::EarlyStopping({.monitor = "val_loss"})}}),
      Error);
}

TEST(Callbacks, TensorBoardWritesEventFiles) {
  TempDir dir;
  const Data d = half_planes(64);
  Model model = classifier();
  model.compile("adam", "sparse_categorical_crossentropy", {"accuracy"});
  model.fit(d.x,
            d.y,
            {.epochs = 2,
             .validation_split = 0.25,
             .verbose = 0,
             .callbacks = {callbacks::TensorBoard(dir.path.string())}});
  EXPECT_FALSE(fs::is_empty(dir.path / "train"));
  EXPECT_FALSE(fs::is_empty(dir.path / "validation"));
}

TEST(Weights, AreSavedAndLoadedBitForBit) {
  TempDir dir;
  const std::string path = (dir.path / "weights.npz").string();
  const Data d = half_planes(16);
  Model a = classifier();
  a.save_weights(path);
  random::set_seed(99);
  auto inputs = Input({4});
  Model b(inputs, Dense(2, "softmax")(Dense(8, "relu")(inputs)));
  b.load_weights(path);
  const Tensor ya = a(d.x), yb = b(d.x);
  EXPECT_TRUE(
      std::equal(ya.data<float>().begin(), ya.data<float>().end(), yb.data<float>().begin()));
}

TEST(Weights, AFileWithOneNumberTwiceOrAnotherNameIsRefused) {
  TempDir dir;
  const std::string path = (dir.path / "weights.npz").string();
  auto inputs = Input({4});
  Model model(inputs, Dense(4, "", {.use_bias = false})(inputs));
  const Tensor square = Tensor::ones({4, 4});
  save_npz(path, {{"0/dense/kernel", square}, {"0/other/kernel", square}});
  EXPECT_THROW(model.load_weights(path), Error);
  save_npz(path, {{"0/dense/recurrent", square}});
  EXPECT_THROW(model.load_weights(path), Error);
  save_npz(path, {{"0/any_layer/kernel", square}});
  EXPECT_NO_THROW(model.load_weights(path));
}

TEST(Weights, AFileThatDoesNotFitChangesNothing) {
  TempDir dir;
  const std::string path = (dir.path / "weights.npz").string();
  auto inputs = Input({4});
  Model small(inputs, Dense(3)(inputs));
  small.save_weights(path);
  Model other = classifier();
  const Tensor before = other.weights()[0].value();
  EXPECT_THROW(other.load_weights(path), Error);
  EXPECT_EQ(before.raw_data(), other.weights()[0].value().raw_data());
  std::ofstream(path) << "not an archive";
  EXPECT_THROW(other.load_weights(path), Error);
  EXPECT_THROW(other.load_weights((dir.path / "missing.npz").string()), Error);
}

TEST(Callbacks, ModelCheckpointWritesAFilePerEpoch) {
  TempDir dir;
  const Data d = half_planes(32);
  Model model = classifier();
  model.compile("adam", "sparse_categorical_crossentropy");
  model.fit(d.x,
            d.y,
            {.epochs = 2,
             .verbose = 0,
             .callbacks = {callbacks::ModelCheckpoint((dir.path / "w{epoch}.npz").string(),
                                                      {.monitor = "loss"})}});
  EXPECT_TRUE(fs::exists(dir.path / "w1.npz"));
  EXPECT_TRUE(fs::exists(dir.path / "w2.npz"));
}

}  // namespace
}  // namespace weir::keras
