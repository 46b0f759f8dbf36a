/// Every op of the table: runs eagerly, its kernels agree, bad calls are errors that name it.
#include <algorithm>

#include "dispatch/registry.h"
#include "op_suite/cases.h"
#include "op_suite/kernel_check.h"

namespace weir::op_suite {
namespace {

TEST_P(OpTest, HasExamplesThatRun) {
  const std::vector<Case> cases = cases_of(op());
  EXPECT_FALSE(cases.empty()) << "every op needs at least one example";
  for (const Case& c : cases) {
    try {
      for (const Tensor& t : c.call())
        EXPECT_TRUE(t.defined() && t.shape().is_static()) << c.label;
    } catch (const Error& e) {
      ADD_FAILURE() << c.label << ": " << e.what();
    }
  }
}

TEST_P(OpTest, KernelsAgree) {
  for (const Case& c : cases_of(op())) {
    KernelCheck check;
    try {
      c.call();
    } catch (const Error&) {
      continue;  // HasExamplesThatRun reports it
    }
    for (const std::string& d : check.differences())
      ADD_FAILURE() << c.label << ": " << d;
  }
}

/// `body` succeeds, or fails with an Error that names the op.
template <class Body>
bool fails_well(const OpDef& op, const std::string& label, Body body) {
  try {
    body();
    return false;
  } catch (const Error& e) {
    const bool named =
        e.info().what.find(op.name()) != std::string::npos ||
        (!op.api_name().empty() && e.info().what.find(op.api_name()) != std::string::npos);
    EXPECT_TRUE(named) << label << ": the message does not name the op: " << e.what();
    EXPECT_NE(e.code(), Code::internal) << label << ": " << e.what();
    return true;
  }
}

TEST_P(OpTest, WrongArityIsAnError) {
  for (const Case& c : cases_of(op())) {
    std::vector<Tensor> inputs = c.inputs;
    if (!inputs.empty()) {
      inputs.pop_back();
      if (!op().variadic()) {
        EXPECT_TRUE(fails_well(op(), c.label + " less one input", [&] { c.call(inputs); }));
      }
      inputs = c.inputs;
    }
    inputs.push_back(Tensor(1.f));
    if (!op().variadic()) {
      EXPECT_TRUE(fails_well(op(), c.label + " and one more input", [&] { c.call(inputs); }));
    }
    break;
  }
}

TEST_P(OpTest, WrongDtypeIsAnError) {
  for (const Case& c : cases_of(op())) {
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      std::vector<Tensor> inputs = c.inputs;
      const OperandDef& def = op().input_defs()[std::min(i, op().input_defs().size() - 1)];
      const DType had = inputs[i].dtype();
      inputs[i] = Tensor::zeros(inputs[i].shape(),
                                had == DType::complex128 ? DType::uint16 : DType::complex128);
      const bool free =
          def.type >= 0 && op().types()[std::size_t(def.type)].allowed.contains(inputs[i].dtype());
      const bool failed =
          fails_well(op(), c.label + " with another dtype", [&] { c.call(inputs); });
      if (!free) {
        EXPECT_TRUE(failed) << c.label << " took " << inputs[i].describe() << " as input " << i;
      }
    }
  }
}

TEST_P(OpTest, WrongShapesAndUndefinedTensorsAreErrorsOrLegal) {
  const std::vector<Case> cases = cases_of(op());
  if (cases.empty()) return;
  const Case& c = cases[0];
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const auto with = [&](Tensor t) {
      std::vector<Tensor> inputs = c.inputs;
      inputs[i] = std::move(t);
      return [&c, inputs] { c.call(inputs); };
    };
    const DType dtype = c.inputs[i].dtype();
    if (dtype == DType::string) continue;
    fails_well(op(), c.label + " with a scalar", with(Tensor::zeros({}, dtype)));
    fails_well(
        op(), c.label + " with rank 9", with(Tensor::zeros({1, 1, 1, 1, 1, 1, 1, 1, 1}, dtype)));
    fails_well(op(), c.label + " with [13]", with(Tensor::zeros({13}, dtype)));
    fails_well(op(), c.label + " with [7, 0]", with(Tensor::zeros({7, 0}, dtype)));
    EXPECT_TRUE(fails_well(op(), c.label + " with an undefined tensor", with(Tensor())));
  }
}

TEST_P(OpTest, WrongAttributesAreErrorsOrLegal) {
  for (const std::string& text : op().examples()) {
    const Example e = parse_example(text);
    for (std::size_t a = 0; a < op().attrs().size(); ++a) {
      const AttrDef& def = op().attrs()[a];
      auto attrs = std::make_shared<Attributes>(op(), e);
      const Variant v = variants(op(), e, attrs->view())[0];
      const Case c{&op(), attrs, make_inputs(e, v, 1), text};
      static const std::int64_t kLarge[] = {99, -99, 99};
      const auto try_with = [&](rt::Attr value, bool must_fail) {
        (*attrs)[a] = value;
        const bool failed = fails_well(op(), text + " with a bad " + def.name, [&] { c.call(); });
        if (must_fail) {
          EXPECT_TRUE(failed) << text << " with a bad " << def.name;
        }
      };
      if (def.kind == rt::Attr::Kind::string && !def.choices.empty())
        try_with(rt::Attr::string("nonsense", 8), true);
      if (def.kind == rt::Attr::Kind::dtype) try_with(rt::Attr::dtype(DType(77)), true);
      if (def.kind == rt::Attr::Kind::ints && def.name.find("axis") != std::string::npos)
        try_with(rt::Attr::int_list(kLarge, 1), true);
      if (def.kind == rt::Attr::Kind::ints) {
        try_with(rt::Attr::int_list(kLarge + 1, 1), false);
        try_with(rt::Attr::int_list(kLarge, 0), false);
        if (def.is_operand) try_with(rt::Attr::int_list(kLarge + 1, 2), false);
      }
      if (def.kind == rt::Attr::Kind::integer) try_with(rt::Attr::integer(-99), false);
    }
  }
}

TEST_P(OpTest, EmptyInputsAreLegalOrErrors) {
  for (const Case& c : empty_cases_of(op())) {
    const bool failed = fails_well(op(), c.label + ", emptied", [&] { c.call(); });
    if (op().is(Trait::elementwise)) {
      EXPECT_FALSE(failed) << c.label << ": element-wise ops take empty tensors";
    }
  }
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const OpDef* op : dispatch::all_ops())
    names.push_back(op->name());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Ops, OpTest, testing::ValuesIn(all_names()), [](const auto& info) {
  return info.param;
});

}  // namespace
}  // namespace weir::op_suite
