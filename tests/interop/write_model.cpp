// Writes SavedModels, inputs and Weir's own results for saved_model_check.py.

#include <weir/functions.h>
#include <weir/npy.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/linalg.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>
#include <weir/saved_model.h>
#include <weir/variable.h>

#include <cstdio>

namespace {

using namespace weir;

std::string directory;

Tensor ramp(const Shape& shape, float scale) {
  std::vector<float> values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = scale * static_cast<float>(static_cast<int>(i * 7 % 23) - 11);
  }
  return Tensor::from(values, shape);
}

void write(const std::string& model, const ModelSignature& signature, const NamedTensors& inputs) {
  saved_model::save(directory + "/" + model, {signature});
  const SavedModel loaded = saved_model::load(directory + "/" + model);
  for (const auto& [name, value] : inputs) {
    save_npy(directory + "/" + model + ".input." + name + ".npy", value);
  }
  for (const auto& [name, value] : loaded.signatures[kServingDefault](inputs)) {
    save_npy(directory + "/" + model + ".output." + name + ".npy", value);
  }
}

// Three dense layers, as the tutorials have them.
void write_dense() {
  const Variable w1(ramp({16, 8}, 0.05F), "dense/kernel");
  const Variable b1(ramp({8}, 0.1F), "dense/bias");
  const Variable w2(ramp({8, 4}, 0.07F), "dense_1/kernel");
  const auto model = function([=](const Tensor& image) {
    const Tensor flat = reshape(image, {-1, 16});
    const Tensor hidden = relu(matmul(flat, w1) + b1);
    return softmax(matmul(hidden, w2));
  });
  write("dense",
        {.function = model.get_concrete_function(TensorSpec{{-1, 4, 4}, DType::float32, "image"}),
         .inputs = {"image"},
         .outputs = {"probabilities"}},
        {{"image", ramp({3, 4, 4}, 0.1F)}});
}

// Names in another order than the arguments: a writer that goes by position swaps them.
void write_two_inputs() {
  const auto model = function([](const Tensor& a, const Tensor& b) {
    return std::vector<Tensor>{a - b, sum(a * b, {0}, true), tanh(b)};
  });
  const TensorSpec spec{{2, 3}, DType::float32, "x"};
  write("two_inputs",
        {.function = model.get_concrete_function(spec, spec),
         .inputs = {"z", "a"},
         .outputs = {"difference", "dot", "b_tanh"}},
        {{"z", ramp({2, 3}, 0.3F)}, {"a", ramp({2, 3}, 0.01F) + 1}});
}

// Paddings are matrices there, one row for each axis.
void write_pads() {
  const auto model = function([](const Tensor& x) {
    return std::vector<Tensor>{
        pad(x, {1, 2, 0, 3}), pad_v2(x, {0, 1, 2, 0}, 7.0F), mirror_pad(x, {1, 1, 0, 2})};
  });
  write("pads",
        {.function = model.get_concrete_function(TensorSpec{{2, 3}, DType::float32, "x"}),
         .inputs = {"x"},
         .outputs = {"zeros", "sevens", "mirrored"}},
        {{"x", ramp({2, 3}, 0.3F)}});
}

// Files hold the shape that a tensor must have as a shape, not as a list.
void write_shapes() {
  const auto model = function([](const Tensor& x) {
    const Tensor checked = ensure_shape(x, {-1, 3});
    return std::vector<Tensor>{checked + 1, shape(checked)};
  });
  write("shapes",
        {.function = model.get_concrete_function(TensorSpec{{-1, 3}, DType::float32, "x"}),
         .inputs = {"x"},
         .outputs = {"next", "dims"}},
        {{"x", ramp({2, 3}, 0.3F)}});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: interop_write_model DIRECTORY\n");
    return 2;
  }
  directory = argv[1];
  try {
    write_dense();
    write_two_inputs();
    write_pads();
    write_shapes();
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
