#include "op_suite/cases.h"

#include <algorithm>

#include "dispatch/registry.h"

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

DType widened(const OpDef& op, std::size_t i, DType dtype) {
  const OperandDef& def = op.input_defs()[std::min(i, op.input_defs().size() - 1)];
  const bool free = def.type >= 0 && op.types()[std::size_t(def.type)].attr < 0;
  const bool can = free && is_floating(dtype) &&
                   op.types()[std::size_t(def.type)].allowed.contains(DType::float64);
  return can ? DType::float64 : dtype;
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
  std::vector<Case> cases;
  visit_examples(op, [&](const Example& e, const std::shared_ptr<Attributes>& attrs) {
    Variant v = variants(op, e, attrs->view())[0];
    bool any = false;
    for (std::size_t i = 0; i < v.size(); ++i) {
      v[i] = widened(op, i, v[i]);
      any = any || v[i] == DType::float64;
    }
    if (any) cases.push_back(make_case(op, e, attrs, v));
  });
  return cases;
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

}  // namespace weir::op_suite
