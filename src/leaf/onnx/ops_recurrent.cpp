#include <weir/ops/nn.h>

#include <algorithm>
#include <map>

#include "io/file/file.h"
#include "leaf/onnx/loop.h"

namespace weir::onnx_io {
namespace {

// -- activations --

struct Activation {
  Tensor (*apply)(const Tensor& x, double alpha, double beta);
  double alpha = 0, beta = 0;
  Tensor operator()(const Tensor& x) const { return apply(x, alpha, beta); }
};

std::string lower(std::string text) {
  for (char& ch : text)
    ch = ch >= 'A' && ch <= 'Z' ? char(ch - 'A' + 'a') : ch;
  return text;
}

const std::map<std::string, Activation, std::less<>>& activations() {
  static const std::map<std::string, Activation, std::less<>> table = {
      {"relu", {[](const Tensor& x, double, double) { return relu(x); }}},
      {"tanh", {[](const Tensor& x, double, double) { return tanh(x); }}},
      {"sigmoid", {[](const Tensor& x, double, double) { return sigmoid(x); }}},
      {"softsign", {[](const Tensor& x, double, double) { return softsign(x); }}},
      {"softplus", {[](const Tensor& x, double, double) { return softplus(x); }}},
      {"affine", {[](const Tensor& x, double a, double b) { return x * a + b; }, 1, 0}},
      {"leakyrelu", {[](const Tensor& x, double a, double) { return leaky_relu(x, a); }, 0.01}},
      {"thresholdedrelu",
       {[](const Tensor& x, double a, double) { return where(x > a, x, zeros_like(x)); }, 1}},
      {"scaledtanh", {[](const Tensor& x, double a, double b) { return tanh(x * b) * a; }, 1, 1}},
      {"hardsigmoid",
       {[](const Tensor& x, double a, double b) { return clip_by_value(x * a + b, 0, 1); },
        0.2,
        0.5}},
      {"elu",
       {[](const Tensor& x, double a, double) { return where(x < 0, expm1(minimum(x, 0)) * a, x); },
        1}},
  };
  return table;
}

// -- what the three cells have in common --

struct Cell {
  std::int64_t gates;
  std::size_t functions;       // activations of one direction
  std::size_t initial_memory;  // operand; 0: the cell has none
  const char* defaults[3];
};

// One direction: its weights, and where it begins.
struct Direction {
  Tensor w, r;    // [gates * hidden, input], [gates * hidden, hidden]
  Tensor wb, rb;  // [gates * hidden]; undefined: none
  Tensor peephole;
  std::vector<Tensor> state;  // h [batch, hidden], and the memory of an LSTM
  std::vector<Activation> functions;
  bool backward = false;
};

struct Recurrent {
  Tensor x;        // [time, batch, input]
  Tensor lengths;  // int64 [batch, 1]; undefined: all
  std::int64_t hidden = 0;
  double clip = 0;
  bool batch_first = false;
  std::vector<Direction> directions;
};

// Element i along axis 0.
Tensor at(const Tensor& t, std::int64_t i) {
  if (t.rank() < 1) io::fail(Code::data_loss, "an operand of the wrong rank");
  List begin(static_cast<std::size_t>(t.rank()), 0), size = begin;
  begin[0] = i;
  std::fill(size.begin(), size.end(), -1);
  size[0] = 1;
  return squeeze(slice(t, begin, size), 0);
}

// The k-th of the blocks of `hidden` elements along the last axis.
Tensor block(const Tensor& t, std::int64_t k, std::int64_t hidden) {
  if (t.rank() < 1) io::fail(Code::data_loss, "an operand of the wrong rank");
  List begin(static_cast<std::size_t>(t.rank()), 0), size(begin.size(), -1);
  begin.back() = k * hidden;
  size.back() = hidden;
  return slice(t, begin, size);
}

std::vector<Activation> read_activations(NodeContext& c, const Cell& cell, std::size_t directions) {
  std::vector<std::string> names = c.strings("activations");
  const bool given = !names.empty();
  for (std::size_t d = 0; !given && d < directions; ++d)
    names.insert(names.end(), cell.defaults, cell.defaults + cell.functions);
  if (names.size() != cell.functions * directions) c.damaged("the attribute 'activations'");
  const std::vector<float> alpha = c.floats("activation_alpha"), beta = c.floats("activation_beta");
  std::vector<Activation> list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = activations().find(lower(names[i]));
    if (found == activations().end()) c.damaged("the activation '" + printable(names[i]) + "'");
    list.push_back(found->second);
    if (i < alpha.size()) list.back().alpha = alpha[i];
    if (i < beta.size()) list.back().beta = beta[i];
  }
  return list;
}

Tensor initial_state(NodeContext& c, const Recurrent& r, std::size_t operand, std::int64_t d) {
  if (operand != 0 && c.has(operand)) {
    const Tensor all = c.in(operand);
    return at(r.batch_first ? transpose(all, List{1, 0, 2}) : all, d);
  }
  const std::int64_t batch = r.x.dim(1);
  if (batch >= 0) return zeros(List{batch, r.hidden}, r.x.dtype());
  const Tensor dims = concat({slice(dims_of(r.x), 1, 1), Tensor::from(List{r.hidden})}, 0);
  return zeros(dims, r.x.dtype());
}

Direction read_direction(NodeContext& c, const Cell& cell, const Recurrent& r, std::int64_t d) {
  Direction one;
  one.w = at(c.in(1), d);
  one.r = at(c.in(2), d);
  if (c.has(3)) {
    const Tensor bias = at(c.in(3), d);
    one.wb = slice(bias, 0, cell.gates * r.hidden);
    one.rb = slice(bias, cell.gates * r.hidden, cell.gates * r.hidden);
  }
  if (cell.initial_memory != 0 && c.has(7)) one.peephole = at(c.in(7), d);
  one.state.push_back(initial_state(c, r, 5, d));
  if (cell.initial_memory != 0) one.state.push_back(initial_state(c, r, cell.initial_memory, d));
  return one;
}

Recurrent read_recurrent(NodeContext& c, const Cell& cell) {
  Recurrent r;
  if (c.rank(0) != 3 || c.rank(1) != 3 || c.rank(2) != 3) c.damaged("operands of the wrong rank");
  r.batch_first = c.i("layout", 0) != 0;
  r.x = r.batch_first ? transpose(c.in(0), List{1, 0, 2}) : c.in(0);
  r.hidden = known_dim(c, c.in(2), 2);
  r.clip = c.f("clip", 0);
  if (c.has(4)) r.lengths = expand_dims(cast(c.in(4), DType::int64), 1);
  const std::string direction = c.s("direction", "forward");
  const std::int64_t count = direction == "bidirectional" ? 2 : 1;
  const std::vector<Activation> functions =
      read_activations(c, cell, static_cast<std::size_t>(count));
  for (std::int64_t d = 0; d < count; ++d) {
    r.directions.push_back(read_direction(c, cell, r, d));
    const auto first = functions.begin() + d * std::ptrdiff_t(cell.functions);
    r.directions.back().functions.assign(first, first + std::ptrdiff_t(cell.functions));
    r.directions.back().backward = d == 1 || direction == "reverse";
  }
  return r;
}

Tensor limited(const Recurrent& r, const Tensor& x) {
  return r.clip > 0 ? clip_by_value(x, -r.clip, r.clip) : x;
}

Tensor plus_bias(const Tensor& x, const Tensor& bias) {
  return bias.defined() ? x + bias : x;
}

// One turn: what the input gives [batch, gates * hidden], and the state before; the state after.
using Step = std::vector<Tensor> (*)(NodeContext& c,
                                     const Recurrent& r,
                                     const Direction& d,
                                     const Tensor& input,
                                     const std::vector<Tensor>& state);

// The elements of each sequence in reverse order; what lies behind its end stays.
Tensor reversed(const Recurrent& r, const Tensor& x) {
  if (!r.lengths.defined()) return reverse(x, 0);
  const Tensor turned = transpose(x, List{1, 0, 2});
  const Tensor t =
      expand_dims(range(Tensor(std::int64_t{0}),
                        x.dim(0) >= 0 ? Tensor(x.dim(0)) : reshape(slice(dims_of(x), 0, 1), List{}),
                        Tensor(std::int64_t{1})),
                  0);
  const Tensor from =
      where(t < r.lengths, r.lengths - std::int64_t{1} - t, t + zeros_like(r.lengths));
  return transpose(gather(turned, from, 1, 1), List{1, 0, 2});
}

struct Output {
  Tensor all;                // [time, batch, hidden]
  std::vector<Tensor> last;  // state [batch, hidden]
};

Output run_direction(NodeContext& c, const Recurrent& r, const Direction& d, Step step) {
  const Tensor x = d.backward ? reversed(r, r.x) : r.x;
  // All products with the input at once.
  const Tensor input = plus_bias(matmul(x, d.w, false, true), d.wb);
  const Tensor length = x.dim(0) >= 0 ? Tensor(x.dim(0)) : reshape(slice(dims_of(x), 0, 1), List{});
  const auto body = [&](const Tensor& number, const Tensor&, const std::vector<Tensor>& state) {
    Turn turn;
    turn.carried = step(c, r, d, gather(input, number), state);
    Tensor y = turn.carried[0];
    if (r.lengths.defined()) {
      const Tensor running = number < r.lengths;
      y = where(running, y, zeros_like(y));
      for (std::size_t i = 0; i < state.size(); ++i)
        turn.carried[i] = where(running, turn.carried[i], state[i]);
    }
    turn.emitted = {y};
    return turn;
  };
  LoopResult result = run_loop(c, length, {}, d.state, body);
  Output out{result.emitted.at(0), std::move(result.carried)};
  if (d.backward) out.all = reversed(r, out.all);
  return out;
}

Values run_cell(NodeContext& c, const Cell& cell, Step step) {
  const Recurrent r = read_recurrent(c, cell);
  std::vector<Tensor> all, hidden, memory;
  for (const Direction& d : r.directions) {
    const Output out = run_direction(c, r, d, step);
    all.push_back(out.all);
    hidden.push_back(out.last[0]);
    if (out.last.size() > 1) memory.push_back(out.last[1]);
  }
  const std::int64_t axis = r.batch_first ? 1 : 0;
  Tensor y = stack(all, 1);  // [time, directions, batch, hidden]
  if (r.batch_first) y = transpose(y, List{2, 0, 1, 3});
  Values results = {y, stack(hidden, axis)};
  if (!memory.empty()) results.push_back(stack(memory, axis));
  return results;
}

// -- the cells --

std::vector<Tensor> step_rnn(NodeContext&,
                             const Recurrent& r,
                             const Direction& d,
                             const Tensor& input,
                             const std::vector<Tensor>& state) {
  const Tensor sum = input + plus_bias(matmul(state[0], d.r, false, true), d.rb);
  return {d.functions[0](limited(r, sum))};
}

std::vector<Tensor> step_lstm(NodeContext& c,
                              const Recurrent& r,
                              const Direction& d,
                              const Tensor& input,
                              const std::vector<Tensor>& state) {
  const std::int64_t n = r.hidden;
  const Tensor gates = input + plus_bias(matmul(state[0], d.r, false, true), d.rb);
  const Tensor& memory = state[1];
  // Peepholes look at the memory: input and forget gate at the old one, the output gate at the new.
  const auto gate = [&](std::int64_t k, const Tensor& seen, std::int64_t peephole) {
    Tensor g = block(gates, k, n);
    if (d.peephole.defined() && peephole >= 0) g = g + block(d.peephole, peephole, n) * seen;
    return limited(r, g);
  };
  const Tensor i = d.functions[0](gate(0, memory, 0));
  const Tensor f = c.flag("input_forget") ? 1.0 - i : d.functions[0](gate(2, memory, 2));
  const Tensor candidate = d.functions[1](gate(3, memory, -1));
  const Tensor next = f * memory + i * candidate;
  const Tensor o = d.functions[0](gate(1, next, 1));
  return {o * d.functions[2](next), next};
}

std::vector<Tensor> step_gru(NodeContext& c,
                             const Recurrent& r,
                             const Direction& d,
                             const Tensor& input,
                             const std::vector<Tensor>& state) {
  const std::int64_t n = r.hidden;
  const Tensor& h = state[0];
  const auto weights = [&](std::int64_t first, std::int64_t count) {
    return slice(d.r, List{first * n, 0}, List{count * n, -1});
  };
  const auto bias = [&](std::int64_t first, std::int64_t count) {
    return d.rb.defined() ? slice(d.rb, first * n, count * n) : Tensor();
  };
  const Tensor zr = plus_bias(matmul(h, weights(0, 2), false, true), bias(0, 2));
  const Tensor z = d.functions[0](limited(r, block(input, 0, n) + block(zr, 0, n)));
  const Tensor reset = d.functions[0](limited(r, block(input, 1, n) + block(zr, 1, n)));
  Tensor inner;
  if (c.flag("linear_before_reset")) {
    inner = reset * plus_bias(matmul(h, weights(2, 1), false, true), bias(2, 1));
  } else {
    inner = plus_bias(matmul(reset * h, weights(2, 1), false, true), bias(2, 1));
  }
  const Tensor candidate = d.functions[1](limited(r, block(input, 2, n) + inner));
  return {(1.0 - z) * candidate + z * h};
}

Values convert_rnn(NodeContext& c) {
  return run_cell(c, {1, 1, 0, {"tanh", nullptr, nullptr}}, step_rnn);
}
Values convert_lstm(NodeContext& c) {
  return run_cell(c, {4, 3, 6, {"sigmoid", "tanh", "tanh"}}, step_lstm);
}
Values convert_gru(NodeContext& c) {
  return run_cell(c, {3, 2, 0, {"sigmoid", "tanh", nullptr}}, step_gru);
}

constexpr Converter kConverters[] = {
    {"GRU", convert_gru},
    {"LSTM", convert_lstm},
    {"RNN", convert_rnn},
};

}  // namespace

std::span<const Converter> recurrent_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
