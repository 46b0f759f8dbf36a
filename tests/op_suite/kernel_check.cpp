#include "op_suite/kernel_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/select.h"
#include "tensor/convert.h"
#include "tensor/host_context.h"
#include "tensor/tensor_impl.h"

namespace weir::op_suite {
namespace {

/// Units in the last place that kernels of one op may differ by: two polynomials of 2 ulp each.
constexpr double kElementUlps = 4;
/// Sums in another order: measured against the largest value of the result.
constexpr double kSumUlps = 64;

double epsilon(DType t) {
  switch (t) {
    case DType::float16:
      return 0x1p-10;
    case DType::bfloat16:
      return 0x1p-7;
    case DType::float32:
    case DType::complex64:
      return 0x1p-23;
    default:
      return 0x1p-52;
  }
}

bool close(double got, double expected, double tolerance) {
  if (std::isnan(got) || std::isnan(expected)) return std::isnan(got) && std::isnan(expected);
  return got == expected || std::abs(got - expected) <= tolerance;
}

double magnitude(const tensor::Number& n) {
  const double m = std::max(std::abs(n.re), std::abs(n.im));
  return std::isfinite(m) ? m : 0;
}

bool accepts(const rt::Kernel& k, std::span<const rt::View> in, std::span<const rt::View> out) {
  const DType types[rt::kMaxTypes] = {in.size() > 0 ? in[0].dtype : DType::invalid,
                                      in.size() > 1 ? in[1].dtype : DType::invalid,
                                      out.size() > 0 ? out[0].dtype : DType::invalid,
                                      out.size() > 1 ? out[1].dtype : DType::invalid};
  for (int i = 0; i < rt::kMaxTypes; ++i) {
    if (k.types[i] != DType::invalid && k.types[i] != types[i]) return false;
  }
  return true;
}

std::string run(const rt::Kernel& k, rt::KernelCall c) {
  rt::ErrorText text;
  c.kernel = &k;
  c.error = &text;
  c.context = &tensor::host_context();
  std::vector<std::max_align_t> workspace, packed;
  const rt::Needs needs = k.need ? k.need(c) : rt::Needs{};
  workspace.resize(std::size_t(needs.workspace) / sizeof(std::max_align_t) + 8);
  void* aligned = workspace.data();
  std::size_t space = workspace.size() * sizeof(std::max_align_t);
  c.workspace = std::align(64, std::size_t(needs.workspace), aligned, space);
  if (k.prepare) c.state = k.prepare(c);
  const Status status = k.run(c);
  if (k.release && c.state) k.release(c.state);
  return status.ok() ? ""
                     : std::string(k.name) + ": " + (text.text[0] ? text.text : status.message());
}

}  // namespace

std::string difference(const Tensor& got, const Tensor& expected, double ulps, double floor) {
  if (got.dtype() != expected.dtype() || got.shape() != expected.shape())
    return got.describe() + " against " + expected.describe();
  const DType t = got.dtype();
  if (!is_differentiable(t))
    return same_bits(got, expected) ? "" : got.to_string() + " against " + expected.to_string();
  const auto* a = static_cast<const char*>(got.raw_data());
  const auto* b = static_cast<const char*>(expected.raw_data());
  double largest = 0;
  for (std::int64_t i = 0; i < got.size(); ++i)
    largest = std::max(largest, magnitude(tensor::load(b + i * byte_size(t), t)));
  for (std::int64_t i = 0; i < got.size(); ++i) {
    const tensor::Number x = tensor::load(a + i * byte_size(t), t),
                         y = tensor::load(b + i * byte_size(t), t);
    const double unit = std::max({magnitude(y), floor * largest, 1e-37});
    const double tolerance = ulps * epsilon(t) * unit;
    if (!close(x.re, y.re, tolerance) || !close(x.im, y.im, tolerance))
      return "element " + std::to_string(i) + ": " + got.to_string() + " against " +
             expected.to_string();
  }
  return "";
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  if (a.dtype() == DType::string) return a.to_string() == b.to_string();
  return a.size() == 0 || std::memcmp(a.raw_data(), b.raw_data(), std::size_t(a.nbytes())) == 0;
}

void KernelCheck::record(const dispatch::Invocation& call, std::span<const Tensor> results) {
  const rt::Kernel* list[32];
  const std::size_t n = kernels::candidates(call.op.name().c_str(), list);
  std::vector<rt::View> in;
  for (const Tensor* t : call.inputs)
    in.push_back(t->impl()->as_view());
  const bool by_element = call.op.is(Trait::elementwise);
  for (const rt::Kernel* k : std::span(list, n)) {
    std::vector<Tensor> values;
    std::vector<rt::View> out;
    for (const Tensor& t : results) {
      values.push_back(
          Tensor::zeros(t.shape(), t.dtype() == DType::string ? DType::complex128 : t.dtype()));
      out.push_back(values.back().impl()->as_view());
      out.back().dtype = t.dtype();
    }
    if (!accepts(*k, in, out)) continue;
    rt::KernelCall c;
    c.in = in.data();
    c.out = out.data();
    c.attrs = call.attrs.data();
    c.n_in = std::uint16_t(in.size());
    c.n_out = std::uint16_t(out.size());
    c.n_attrs = std::uint16_t(call.attrs.size());
    if (std::string error = run(*k, c); !error.empty()) differences_.push_back(error);
    ++compared_;
    for (std::size_t o = 0; o < results.size(); ++o) {
      if (results[o].dtype() == DType::string) continue;
      std::string d = difference(
          values[o], results[o], by_element ? kElementUlps : kSumUlps, by_element ? 0 : 1);
      if (!d.empty())
        differences_.push_back(std::string(k->name) + ", output " + std::to_string(o) + ", " + d);
    }
  }
}

}  // namespace weir::op_suite
