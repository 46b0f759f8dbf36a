#include <weir/nn.h>
#include <weir/ops/linalg.h>
#include <weir/ops/nn.h>

#include <cmath>
#include <limits>

#include "leaf/onnx/constant.h"
#include "leaf/onnx/loop.h"
#include "leaf/onnx/windows.h"

namespace weir::onnx_io {
namespace {

// [batch, time, heads * size] -> [batch, heads, time, size]
Tensor with_heads(NodeContext& c, const Tensor& x, std::int64_t heads) {
  if (x.rank() != 3) c.damaged("an operand of rank " + std::to_string(x.rank()));
  const List d = known_dims(c, x);
  if (heads < 1 || d[2] % heads != 0) c.damaged("its number of heads");
  return transpose(reshape(x, List{d[0], d[1], heads, d[2] / heads}), List{0, 2, 1, 3});
}

Tensor without_heads(const Tensor& x) {
  const List d = x.shape().to_vector();
  return reshape(transpose(x, List{0, 2, 1, 3}), List{d[0], d[2], d[1] * d[3]});
}

// Each head n times, one after another.
Tensor repeated_heads(const Tensor& x, std::int64_t n) {
  if (n == 1) return x;
  const List d = x.shape().to_vector();
  const Tensor wide = broadcast_to(expand_dims(x, 2), List{d[0], d[1], n, d[2], d[3]});
  return reshape(wide, List{d[0], d[1] * n, d[2], d[3]});
}

Tensor minus_infinity(DType t) {
  const InitScope now;
  return cast(Tensor(-std::numeric_limits<float>::infinity()), t);
}

Tensor zero_of(DType t) {
  const InitScope now;
  return cast(Tensor(0.f), t);
}

// 0 where allowed, -inf elsewhere.
Tensor as_bias(const Tensor& allowed, DType t) {
  return where(allowed, zero_of(t), minus_infinity(t));
}

struct Attend {
  Tensor q, k, v;  // [batch, heads, time, size]
  std::int64_t past = 0;
  bool packed = false;
};

Attend read_attend(NodeContext& c) {
  Attend a;
  a.q = c.in(0);
  a.k = c.in(1);
  a.v = c.in(2);
  a.packed = c.rank(0) == 3;
  if (a.packed) {
    const std::int64_t q_heads = c.i("q_num_heads"), heads = c.i("kv_num_heads");
    a.q = with_heads(c, a.q, q_heads);
    a.k = with_heads(c, a.k, heads);
    a.v = with_heads(c, a.v, heads);
  }
  for (const Tensor* t : {&a.q, &a.k, &a.v}) {
    if (t->rank() != 4) c.damaged("an operand of rank " + std::to_string(t->rank()));
    known_dims(c, *t);
  }
  if (c.has(4) != c.has(5)) c.damaged("keys of the past without values, or the other way round");
  if (c.has(4)) {
    a.past = known_dim(c, c.in(4), 2);
    a.k = concat({c.in(4), a.k}, 2);
    a.v = concat({c.in(5), a.v}, 2);
  }
  return a;
}

// The place of each query minus that of each key: [time, keys], or [batch, 1, time, keys].
Tensor distances(NodeContext& c, const Attend& a) {
  const std::int64_t queries = a.q.dim(2), keys = a.k.dim(2);
  const Tensor i = Tensor::from(iota(queries), Shape{Dim(queries), 1});
  const Tensor j = Tensor::from(iota(keys), Shape{1, Dim(keys)});
  if (c.has(6) && !c.has(4)) {
    const Tensor offset = cast(c.in(6), DType::int64) - queries;
    return i + reshape(offset, List{-1, 1, 1, 1}) - j;
  }
  return i + a.past - j;
}

// What is added to the scores; undefined: nothing.
Tensor attention_bias(NodeContext& c, const Attend& a) {
  const DType t = a.q.dtype();
  Tensor bias;
  const auto also = [&](const Tensor& more) { bias = bias.defined() ? bias + more : more; };
  if (c.has(3)) {
    Tensor mask = c.in(3);
    if (mask.dtype() == DType::boolean) mask = as_bias(mask, t);
    const std::int64_t missing = a.k.dim(2) - known_dim(c, mask, -1);
    if (missing > 0) {
      List rows(2 * static_cast<std::size_t>(mask.rank()), 0);
      rows.back() = missing;
      mask = pad_v2(mask, rows, minus_infinity(t));
    }
    also(mask);
  }
  const std::int64_t left = c.i("left_window_size", -1), right = c.i("right_window_size", -1);
  if (c.flag("is_causal")) also(as_bias(distances(c, a) >= std::int64_t{0}, t));
  if (left >= 0) also(as_bias(distances(c, a) <= left, t));
  if (right >= 0) also(as_bias(distances(c, a) >= -right, t));
  if (c.has(6)) {
    const std::int64_t keys = a.k.dim(2);
    const Tensor place = Tensor::from(iota(keys), Shape{1, 1, 1, Dim(keys)});
    also(as_bias(place < reshape(cast(c.in(6), DType::int64), List{-1, 1, 1, 1}), t));
  }
  return bias;
}

// A row in which nothing is allowed gives zeros.
Tensor guarded_softmax(const Tensor& x) {
  const Tensor nothing = equal(max(x, -1, true), minus_infinity(x.dtype()));
  return where(nothing, zeros_like(x), softmax(where(nothing, zeros_like(x), x)));
}

Values convert_attention(NodeContext& c) {
  const Attend a = read_attend(c);
  const DType t = a.q.dtype();
  const std::int64_t heads = a.k.dim(1);
  if (heads < 1 || a.q.dim(1) % heads != 0) c.damaged("its number of heads");
  const std::int64_t groups = a.q.dim(1) / heads;
  double scale = 1 / std::sqrt(double(a.q.dim(3)));
  if (c.has_attr("scale")) scale = c.f("scale", 1);
  const Tensor k = repeated_heads(a.k, groups), v = repeated_heads(a.v, groups);
  // Both sides take the root, so that half floats do not overflow.
  Tensor scores = matmul(a.q * std::sqrt(scale), k * std::sqrt(scale), false, true);
  std::vector<Tensor> stages = {scores};
  const double cap = c.f("softcap", 0);
  if (cap > 0) scores = tanh(scores / cap) * cap;
  stages.push_back(scores);
  const Tensor bias = attention_bias(c, a);
  if (bias.defined()) scores = scores + bias;
  stages.push_back(scores);
  DType precision = t;
  if (c.has_attr("softmax_precision")) precision = dtype_of_attr(c, c.i("softmax_precision"));
  Tensor weights = precision == t ? scores : cast(scores, precision);
  weights = bias.defined() ? guarded_softmax(weights) : softmax(weights);
  if (precision != t) weights = cast(weights, t);
  stages.push_back(weights);
  const std::int64_t mode = c.i("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) c.damaged("the attribute 'qk_matmul_output_mode'");
  const Tensor y = matmul(weights, v);
  return {a.packed ? without_heads(y) : y, a.k, a.v, stages[static_cast<std::size_t>(mode)]};
}

// -- rotation by position --

Values convert_rotary(NodeContext& c) {
  const bool packed = c.rank(0) == 3;
  const Tensor x = packed ? with_heads(c, c.in(0), c.i("num_heads")) : c.in(0);
  const List d = known_dims(c, x);
  if (d.size() != 4) c.damaged("an operand " + x.describe());
  std::int64_t n = c.i("rotary_embedding_dim", 0);
  if (n == 0) n = d[3];
  if (n < 2 || n > d[3] || n % 2 != 0) c.damaged("the attribute 'rotary_embedding_dim'");
  const auto cache = [&](std::size_t i) {
    const Tensor all = c.in(i);
    return expand_dims(c.has(3) ? gather(all, c.in(3)) : all, 1);
  };
  const Tensor cosine = cache(1), sine = cache(2);
  const Tensor turning = take(x, 3, 0, 1, n);
  const bool interleaved = c.flag("interleaved");
  const Tensor a = interleaved ? take(turning, 3, 0, 2, n / 2) : take(turning, 3, 0, 1, n / 2);
  const Tensor b = interleaved ? take(turning, 3, 1, 2, n / 2) : take(turning, 3, n / 2, 1, n / 2);
  const Tensor real = cosine * a - sine * b, imaginary = sine * a + cosine * b;
  Tensor y = interleaved ? reshape(stack({real, imaginary}, -1), List{d[0], d[1], d[2], n})
                         : concat({real, imaginary}, 3);
  if (n < d[3]) y = concat({y, take(x, 3, n, 1, d[3] - n)}, 3);
  return {packed ? without_heads(y) : y};
}

// -- attention as a recurrence --

Tensor to_float(const Tensor& x) {
  return x.dtype() == DType::float32 ? x : cast(x, DType::float32);
}

// [batch, time, n] -> [time, batch, heads, n / heads]
Tensor by_time(NodeContext& c, const Tensor& x, std::int64_t heads) {
  return transpose(with_heads(c, to_float(x), heads), List{2, 0, 1, 3});
}

Values convert_linear_attention(NodeContext& c) {
  const std::int64_t q_heads = c.i("q_num_heads"), heads = c.i("kv_num_heads");
  const std::string rule = c.s("update_rule", "gated_delta");
  const bool gated = rule == "gated" || rule == "gated_delta";
  const bool delta = rule == "delta" || rule == "gated_delta";
  if (!gated && !delta && rule != "linear") c.damaged("the attribute 'update_rule'");
  if (heads < 1 || q_heads < 1 || q_heads % heads != 0) c.damaged("its number of heads");
  const Tensor q = by_time(c, c.in(0), q_heads), k = by_time(c, c.in(1), heads);
  const Tensor v = by_time(c, c.in(2), heads);
  const DType t = c.in(0).dtype();
  const List d = known_dims(c, k);
  const std::int64_t size = d[3], out = v.dim(3);
  double scale = c.f("scale", 0);
  if (scale == 0) scale = 1 / std::sqrt(double(size));
  Tensor gate, rate;
  if (gated) gate = exp(by_time(c, c.in(4), heads));  // [time, batch, heads, size or 1]
  if (delta) rate = by_time(c, c.in(5), known_dim(c, c.in(5), 2));
  const Tensor first =
      c.has(3) ? to_float(c.in(3)) : zeros(List{d[1], heads, size, out}, DType::float32);
  const auto body = [&](const Tensor& number, const Tensor&, const std::vector<Tensor>& state) {
    Tensor s = state[0];
    const Tensor key = expand_dims(gather(k, number), 3);  // [batch, heads, size, 1]
    Tensor value = expand_dims(gather(v, number), 2);      // [batch, heads, 1, out]
    if (gated) s = s * expand_dims(gather(gate, number), 3);
    if (delta) {
      value = value - matmul(key, s, true, false);
      value = value * expand_dims(gather(rate, number), 3);
    }
    s = s + key * value;
    const Tensor query = expand_dims(gather(q, number), 2);  // [batch, q_heads, 1, size]
    const Tensor y = matmul(query, repeated_heads(s, q_heads / heads)) * scale;
    return Turn{{}, {s}, {squeeze(y, 2)}};
  };
  const LoopResult r = run_loop(c, Tensor(d[0]), {}, {first}, body);
  // [time, batch, heads, out] -> [batch, time, heads * out]
  const Tensor y =
      reshape(transpose(r.emitted.at(0), List{1, 0, 2, 3}), List{d[1], d[0], q_heads * out});
  const DType kept = c.has(3) ? c.in(3).dtype() : t;
  return {cast(y, t), cast(r.carried.at(0), kept)};
}

Values convert_causal_conv(NodeContext& c) {
  const Tensor &x = c.in(0), &w = c.in(1);
  const List dims = known_dims(c, x), size = known_dims(c, w);
  if (dims.size() != 3 || size.size() != 3 || size[0] != dims[1] || size[1] != 1 || size[2] < 1) {
    c.damaged("an input " + x.describe() + " for weights " + w.describe());
  }
  const std::int64_t k = size[2];
  check_taps(c, k);
  const Tensor before = c.has(3) ? c.in(3) : zeros(List{dims[0], dims[1], k - 1}, x.dtype());
  const Tensor padded = concat({before, x}, 2);
  const Tensor wide = is_narrow(x.dtype()) ? to_float(padded) : padded;
  Tensor y;
  for (std::int64_t i = 0; i < k; ++i) {
    const Tensor tap = reshape(cast(take(w, 2, i, 1, 1), wide.dtype()), List{dims[1], 1});
    const Tensor part = take(wide, 2, i, 1, dims[2]) * tap;
    y = y.defined() ? y + part : part;
  }
  if (c.has(2)) y = y + cast(reshape(c.in(2), List{-1, 1}), wide.dtype());
  y = cast(y, x.dtype());
  const std::string activation = c.s("activation", "none");
  if (activation == "silu" || activation == "swish") {
    y = cast(silu(to_float(y)), x.dtype());
  } else if (activation != "none") {
    c.damaged("the attribute 'activation'");
  }
  return {y, take(padded, 2, dims[2], 1, k - 1)};
}

Values convert_swiglu(NodeContext& c) {
  const Tensor& gate = c.in(0);
  return {gate * sigmoid(gate * double(c.f("alpha", 1))) * c.in(1)};
}

constexpr Converter kConverters[] = {
    {"Attention", convert_attention},
    {"CausalConvWithState", convert_causal_conv},
    {"LinearAttention", convert_linear_attention},
    {"RotaryEmbedding", convert_rotary},
    {"SwiGLU", convert_swiglu},
};

}  // namespace

std::span<const Converter> attention_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
