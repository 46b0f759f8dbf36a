/// An op of a program's own: its definition, its kernel, its gradient; used eagerly, in a graph and
/// under a tape.
#include <weir/op_def.h>
#include <weir/weir.h>

#include <iostream>

using namespace weir;

namespace {

Status scale_run(const rt::KernelCall& c) {
  const float* x = c.in[0].as<float>();
  float* y = c.out[0].as<float>();
  for (std::int64_t i = 0; i < c.out[0].size(); ++i)
    y[i] = x[i] * float(c.attrs[0].f);
  return {};
}

const rt::Kernel kScale[] = {
    {.op = "Scale", .name = "Scale/float32", .types = {DType::float32}, .run = scale_run}};

Tensor scale(Operand x, double factor) {
  return call_op(*find_op("Scale"), {x}, {rt::Attr::real(factor)})[0];
}

OpDef scale_definition() {
  return OpDef("Scale")
      .doc("x times a number.")
      .type("T", DType::float32)
      .input("x", "T")
      .attr("factor", rt::Attr::Kind::real)
      .output("y", "T")
      .infer([](InferContext& c) { c.set(0, c.shape(0).to_shape()); })
      .gradient([](GradientContext& g) { g.set(0, scale(g.dy(), g.attr(0).f)); });
}

}  // namespace

int main() {
  const OpDef ops[] = {scale_definition()};
  register_ops(ops);
  register_kernels(kScale);

  Tensor x{1.f, 2.f, 3.f};
  std::cout << scale(x, 2) << "\n";
  auto f = function([](Tensor t) { return scale(t, 3) + 1; });
  std::cout << f(x) << "\n";
  GradientTape tape;
  tape.watch(x);
  std::cout << tape.gradient(sum(scale(x, 5)), x) << "\n";
}
