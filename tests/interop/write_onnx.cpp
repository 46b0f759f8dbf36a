// Writes ONNX models, inputs and Weir's own results for onnx_export_check.py.

#include <weir/control_flow.h>
#include <weir/functions.h>
#include <weir/keras.h>
#include <weir/linalg.h>
#include <weir/nn.h>
#include <weir/npy.h>
#include <weir/onnx.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/linalg.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>
#include <weir/variable.h>

#include <cstdio>

namespace {

using namespace weir;
using List = std::vector<std::int64_t>;

std::string directory;

Tensor ramp(const Shape& shape, float scale) {
  std::vector<float> values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = scale * static_cast<float>(static_cast<int>(i * 7 % 23) - 11);
  return Tensor::from(values, shape);
}

/// The model, its input and its outputs; and what Weir computes from the file that it wrote.
void write(const std::string& name,
           const ConcreteFunction& f,
           const std::vector<Tensor>& arguments,
           int opset = 17) {
  const std::string path = directory + "/" + name + ".onnx";
  onnx::save(f, path, {.opset = opset});
  const onnx::Model again = onnx::load(path);
  const std::vector<Tensor> results = f(arguments), reread = again.function()(arguments);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    save_npy(directory + "/" + name + ".input." + std::to_string(i) + ".npy", arguments[i]);
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    save_npy(directory + "/" + name + ".output." + std::to_string(i) + ".npy", results[i]);
    save_npy(directory + "/" + name + ".reread." + std::to_string(i) + ".npy", reread[i]);
  }
  std::printf("%s\n", name.c_str());
}

template <class F>
void write_function(const std::string& name, const Tensor& x, F&& f, int opset = 17) {
  const auto traced = function([f](const Tensor& t) { return std::vector<Tensor>(f(t)); });
  write(name, traced.get_concrete_function(TensorSpec{x.shape(), x.dtype(), "x"}), {x}, opset);
}

// -- Keras-style models --

void write_mlp() {
  using namespace keras;
  using namespace keras::layers;
  const auto in = Input({4, 4});
  auto x = Flatten()(in);
  x = Dense(8, "relu")(x);
  x = Dense(8, "gelu")(x);
  const Model model(in, Dense(3, "softmax")(x), "mlp");
  const auto f = function(model);
  write("mlp",
        f.get_concrete_function(TensorSpec{{-1, 4, 4}, DType::float32, "x"}),
        {ramp({3, 4, 4}, 0.1F)});
}

void write_conv_net() {
  using namespace keras;
  using namespace keras::layers;
  const auto in = Input({12, 12, 3});
  auto x = Conv2D(8, {3, 3}, {.padding = "same", .activation = "relu"})(in);
  x = BatchNormalization()(x);
  const auto branch = Conv2D(8, {3, 3}, {.padding = "same"})(x);
  x = Add()({x, branch});
  x = ReLU()(x);
  x = MaxPooling2D()(x);
  x = Conv2D(4, {3, 3}, {.strides = {2, 2}})(x);
  x = AveragePooling2D()(x);
  x = Flatten()(x);
  const Model model(in, Dense(5, "softmax")(x), "conv_net");
  const auto f = function(model);
  write("conv_net",
        f.get_concrete_function(TensorSpec{{-1, 12, 12, 3}, DType::float32, "image"}),
        {ramp({2, 12, 12, 3}, 0.05F)});
}

// -- families of ops --

void write_elementwise() {
  write_function("elementwise", ramp({2, 3, 4}, 0.1F), [](const Tensor& x) {
    const Tensor y = abs(x) + 0.5F;
    return std::vector<Tensor>{relu(x),
                               relu6(x * 3),
                               elu(x),
                               selu(x),
                               leaky_relu(x, 0.1),
                               softplus(x),
                               softsign(x),
                               silu(x),
                               gelu(x),
                               gelu(x, true),
                               exp(x),
                               log(y),
                               expm1(x),
                               log1p(y),
                               sqrt(y),
                               rsqrt(y),
                               square(x),
                               sign(x),
                               floor(x),
                               ceil(x),
                               round(x),
                               sin(x),
                               cos(x),
                               tan(x),
                               sinh(x),
                               cosh(x),
                               tanh(x),
                               erf(x),
                               erfc(x),
                               sigmoid(x),
                               reciprocal(y),
                               -x,
                               atan(x),
                               asinh(x),
                               maximum(x, 0.1F),
                               minimum(x, y),
                               pow(y, 1.5F),
                               x / y,
                               divide_no_nan(x, maximum(x, 0)),
                               floormod(x, y),
                               floor_divide(x, y),
                               squared_difference(x, y),
                               clip_by_value(x, -0.2F, 0.3F)};
  });
  write_function("comparison", ramp({3, 4}, 0.1F), [](const Tensor& x) {
    const Tensor half = zeros_like(x) + 0.1F;
    return std::vector<Tensor>{x > half,
                               x >= half,
                               x < half,
                               x <= half,
                               equal(x, half),
                               not_equal(x, half),
                               logical_and(x > 0, x < half),
                               where(x > 0, x, half),
                               is_finite(x),
                               cast(x, DType::int32),
                               any(x > half, 1),
                               all(x > half, 0)};
  });
}

void write_arrays() {
  write_function("arrays", ramp({2, 3, 4}, 0.1F), [](const Tensor& x) {
    const std::vector<Tensor> parts = split(x, 2, 2), rows = unstack(x, 1);
    return std::vector<Tensor>{reshape(x, List{4, -1}),
                               transpose(x),
                               transpose(x, List{1, 0, 2}),
                               expand_dims(x, 1),
                               squeeze(slice(x, List{0, 1, 0}, List{-1, 1, 3}), 1),
                               concat({x, x}, 1),
                               stack({x, x}, -1),
                               parts[1],
                               rows[2],
                               x[{Slice{0, 2}, 1, Slice{-1, Slice::kOpen, -1}}],
                               x[{Index::ellipsis(), Index::newaxis(), 0}],
                               pad(x, {0, 1, 2, 0, 0, 0}),
                               mirror_pad(x, {0, 0, 1, 1, 0, 2}),
                               tile(x, List{1, 2, 1}),
                               broadcast_to(slice(x, List{0, 0, 0}, List{1, 3, 4}), List{5, 3, 4}),
                               reverse(x, List{0, 2}),
                               gather(x, Tensor{2, 0}, 1),
                               gather_nd(x, Tensor{{0, 1}, {1, 2}}),
                               shape(x),
                               size(x),
                               zeros_like(x),
                               one_hot(Tensor{0, 2, -1}, 3) + sum(x)};
  });
  write_function("reductions", ramp({2, 3, 4}, 0.1F), [](const Tensor& x) {
    return std::vector<Tensor>{sum(x),
                               sum(x, 1),
                               mean(x, List{0, 2}, true),
                               max(x, -1),
                               min(x, 0),
                               prod(x, 2),
                               argmax(x, 1),
                               argmin(x, -1),
                               cumsum(x, 1),
                               logsumexp(x, 1),
                               softmax(x, 1),
                               log_softmax(x),
                               top_k(x, 2).values,
                               top_k(x, 2).indices,
                               l2_loss(x)};
  });
  write_function(
      "reductions_18",
      ramp({2, 3, 4}, 0.1F),
      [](const Tensor& x) {
        return std::vector<Tensor>{sum(x, 1),
                                   mean(x, List{0, 2}, true),
                                   max(x, -1),
                                   tensor_scatter_max(x, Tensor{{0, 1}}, zeros(List{1, 4}))};
      },
      18);
}

void write_products() {
  write_function("products", ramp({2, 3, 4}, 0.1F), [](const Tensor& x) {
    const Tensor w = ramp({5, 4}, 0.03F), v = ramp({4, 2}, 0.1F);
    const Tensor m = reshape(x, List{6, 4});
    return std::vector<Tensor>{matmul(m, v),
                               matmul(m, w, false, true),
                               matmul(x, x, false, true),
                               matmul(x, x, true, false),
                               einsum("bij,kj->bik", {x, w}),
                               bias_add(x, Tensor{1.F, 2.F, 3.F, 4.F})};
  });
}

void write_images() {
  write_function("images", ramp({2, 8, 8, 4}, 0.1F), [](const Tensor& x) {
    const Tensor w = ramp({3, 3, 4, 6}, 0.02F), d = ramp({3, 3, 4, 2}, 0.05F);
    const Tensor grouped = ramp({3, 3, 2, 6}, 0.03F), back = ramp({3, 3, 5, 4}, 0.02F);
    return std::vector<Tensor>{conv2d(x, w, 2, "SAME"),
                               conv2d(x, w, 1, "VALID", 2),
                               depthwise_conv2d(x, d, 1, "SAME"),
                               conv2d(x, grouped),
                               conv2d_transpose(x, back, List{2, 16, 16, 5}, 2, "SAME"),
                               conv2d_transpose(x, back, List{2, 17, 17, 5}, 2, "VALID"),
                               max_pool2d(x, 3, 2, "SAME"),
                               avg_pool2d(x, 3, 2, "SAME"),
                               relu(bias_add(conv2d(x, w), Tensor::ones({6}))),
                               space_to_depth(x, 2),
                               depth_to_space(x, 2)};
  });
}

void write_control() {
  write_function("branch", ramp({4}, 0.1F), [](const Tensor& x) {
    return std::vector<Tensor>{cond(
        sum(x) > 0, [&] { return x * 2; }, [&] { return x - 1; })};
  });
  write_function("loop", ramp({4}, 0.1F), [](const Tensor& x) {
    using State = std::pair<Tensor, Tensor>;
    const State end =
        while_loop([](const State& s) { return s.first < 5; },
                   [&](const State& s) { return State(s.first + 1, s.second * 0.5F + x); },
                   State(Tensor(0), zeros_like(x)));
    return std::vector<Tensor>{end.first, end.second};
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: interop_write_onnx DIRECTORY\n");
    return 2;
  }
  directory = argv[1];
  int failed = 0;
  for (const auto each : {write_mlp,
                          write_conv_net,
                          write_elementwise,
                          write_arrays,
                          write_products,
                          write_images,
                          write_control}) {
    try {
      each();
    } catch (const Error& error) {
      std::fprintf(stderr, "%s\n", error.what());
      failed = 1;
    }
  }
  return failed;
}
