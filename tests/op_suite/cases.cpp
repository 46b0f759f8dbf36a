#include "op_suite/cases.h"

#include <algorithm>

#include "dispatch/registry.h"
#include "tensor/tensor_impl.h"

namespace weir::op_suite {
namespace {

std::uint64_t seed_of(const std::string& text) {
  return rt::kernel_id(text.c_str()) >> 16;
}

Case make_case(const OpDef& op,
               const Example& e,
               std::shared_ptr<Attributes> attrs,
               const Variant& v) {
  Case c{&op,
         std::move(attrs),
         make_inputs(e, v, seed_of(op.name() + e.text)),
         "\"" + e.text + "\" as"};
  for (DType t : v)
    c.label += std::string(" ") + name(t);
  return c;
}

template <class Visit>
void visit_examples(const OpDef& op, Visit visit) {
  for (const std::string& text : op.examples()) {
    try {
      const Example e = parse_example(text);
      visit(e, std::make_shared<Attributes>(op, e));
    } catch (const Error& error) {
      ADD_FAILURE() << op.name() << ": " << error.what();
    }
  }
}

DType widened(const OpDef& op, std::size_t i, DType dtype, DType wide) {
  const OperandDef& def = op.input_defs()[std::min(i, op.input_defs().size() - 1)];
  const bool free = def.type >= 0 && op.types()[std::size_t(def.type)].attr < 0;
  const bool can =
      free && is_differentiable(dtype) && op.types()[std::size_t(def.type)].allowed.contains(wide);
  return can ? wide : dtype;
}

/// One case for each example that has an input of this dtype once every type that can be it is.
std::vector<Case> widened_cases_of(const OpDef& op, DType wide) {
  std::vector<Case> cases;
  visit_examples(op, [&](const Example& e, const std::shared_ptr<Attributes>& attrs) {
    Variant v = variants(op, e, attrs->view())[0];
    bool any = false;
    for (std::size_t i = 0; i < v.size(); ++i) {
      v[i] = widened(op, i, v[i], wide);
      any = any || v[i] == wide;
    }
    if (any) cases.push_back(make_case(op, e, attrs, v));
  });
  return cases;
}

constexpr std::int64_t kLargeElements = 100'000;  // of the largest input
constexpr std::int64_t kMostLargeElements = 1'500'000;
constexpr double kMostFlops = 1e8;

/// The example with dimensions times `factor`: all of them, or the first of the inputs of the
/// highest rank.
Example stretched(Example e, std::int64_t factor, bool all) {
  int rank = 1;
  for (const ExampleInput& in : e.inputs)
    rank = std::max(rank, in.shape.rank());
  for (ExampleInput& in : e.inputs) {
    for (int d = 0; d < in.shape.rank(); ++d) {
      const bool change = all ? in.shape[d] != Dim(1) : d == 0 && in.shape.rank() == rank;
      if (change) in.shape[d] = Dim(in.shape[d].value() * factor);
    }
  }
  return e;
}

std::int64_t largest_input(const Example& e) {
  std::int64_t most = 0;
  for (const ExampleInput& in : e.inputs)
    most = std::max(most, in.shape.size());
  return most;
}

/// The smallest factor that makes enough elements, or 0.
std::int64_t large_factor(const Example& e, bool all) {
  for (std::int64_t f = 2; f < 200'000; f *= 2) {
    const std::int64_t n = largest_input(stretched(e, f, all));
    if (n >= kLargeElements) return n <= kMostLargeElements ? f : 0;
  }
  return 0;
}

/// The call is legal (the attributes may fit the example's sizes only) and takes a moment.
bool can_afford(const Case& c) {
  try {
    std::vector<SpecView> inputs;
    for (const Tensor& t : c.inputs)
      inputs.push_back({t.dtype(), t.impl()->shape()});
    const std::vector<Spec> outputs = dispatch::infer(*c.op, inputs, c.attrs->view(), {}, {});
    for (const Spec& s : outputs) {
      if (s.shape.is_static() && s.shape.size() > kMostLargeElements) return false;
    }
    if (CostFn cost = c.op->cost_fn();
        cost && cost(inputs, outputs, c.attrs->view()).flops > kMostFlops)
      return false;
    c.call();
    return true;
  } catch (const Error&) {
    return false;
  }
}

Tensor static_tensor(const AttrDef& def, const rt::Attr& value, DType dtype) {
  std::vector<std::int64_t> list(value.ints, value.ints + value.count);
  Shape shape{std::int64_t(value.count)};
  if (def.scalar) shape = Shape{};
  if (def.columns)
    shape = Shape{std::int64_t(value.count) / def.columns, std::int64_t(def.columns)};
  if (dtype == DType::int64) return Tensor::from(list, shape);
  return Tensor::from(std::vector<std::int32_t>(list.begin(), list.end()), shape);
}

/// Moves the static operands that have a value behind the inputs; false if there is none.
bool make_dynamic(Case& c, DType dtype) {
  bool any = false;
  for (std::size_t a = 0; a < c.op->attrs().size(); ++a) {
    const AttrDef& def = c.op->attrs()[a];
    rt::Attr& value = (*c.attrs)[a];
    if (!def.is_operand || value.kind != rt::Attr::Kind::ints) continue;
    if (dtype != def.operand_dtype && def.type_attr.empty()) return false;
    c.inputs.push_back(static_tensor(def, value, dtype));
    value = rt::Attr::operand(std::int64_t(c.inputs.size()) - 1);
    any = true;
  }
  return any;
}

}  // namespace

std::vector<Tensor> Case::call(std::span<const Tensor> operands) const {
  std::vector<Operand> list;
  for (const Tensor& t : operands)
    list.push_back(Operand(t));
  std::vector<Tensor> results(std::size_t(op->output_count(attrs->view())));
  dispatch::call(*op, list, attrs->view(), results);
  return results;
}

bool forbids_gradients(const Error& e) {
  return e.code() == Code::failed_precondition &&
         e.info().what.find("forbids") != std::string::npos;
}

std::vector<Case> cases_of(const OpDef& op) {
  std::vector<Case> cases;
  visit_examples(op, [&](const Example& e, const std::shared_ptr<Attributes>& attrs) {
    for (const Variant& v : variants(op, e, attrs->view()))
      cases.push_back(make_case(op, e, attrs, v));
  });
  return cases;
}

std::vector<Case> float64_cases_of(const OpDef& op) {
  return widened_cases_of(op, DType::float64);
}

std::vector<Case> complex_cases_of(const OpDef& op) {
  return widened_cases_of(op, DType::complex128);
}

std::vector<Case> empty_cases_of(const OpDef& op) {
  std::vector<Case> cases;
  visit_examples(op, [&](Example e, const std::shared_ptr<Attributes>& attrs) {
    int rank = 1;
    for (const ExampleInput& in : e.inputs)
      rank = std::max(rank, in.shape.rank());
    for (ExampleInput& in : e.inputs) {
      if (in.shape.rank() == rank) in.shape[0] = Dim(0);
    }
    cases.push_back(make_case(op, e, attrs, variants(op, e, attrs->view())[0]));
  });
  return cases;
}

std::vector<Case> large_cases_of(const OpDef& op) {
  std::vector<Case> cases;
  visit_examples(op, [&](const Example& e, const std::shared_ptr<Attributes>& attrs) {
    for (bool all : {true, false}) {
      const std::int64_t factor = large_factor(e, all);
      if (factor == 0) continue;
      Case c = make_case(op, stretched(e, factor, all), attrs, variants(op, e, attrs->view())[0]);
      c.label += ", dimensions times " + std::to_string(factor);
      if (can_afford(c)) cases.push_back(std::move(c));
    }
  });
  return cases;
}

std::vector<Case> dynamic_cases_of(const OpDef& op) {
  std::vector<Case> cases;
  for (DType dtype : {DType::int32, DType::int64}) {
    visit_examples(op, [&](const Example& e, const std::shared_ptr<Attributes>& attrs) {
      Case c = make_case(op, e, attrs, variants(op, e, attrs->view())[0]);
      c.label += std::string(", ") + name(dtype) + " static operands";
      if (make_dynamic(c, dtype)) cases.push_back(std::move(c));
    });
  }
  return cases;
}

}  // namespace weir::op_suite
