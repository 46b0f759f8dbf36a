#include "plan/graphs_for_test.h"

namespace weir::plan {
namespace {

TEST(Plan, RunsAStraightLineOfKernels) {
  const auto g = trace({{{-1, 3}, DType::float32, "x"}}, [](const std::vector<Tensor>& x) {
    const Tensor w = numbers({3, 4}, 7);
    return std::vector<Tensor>{matmul(x[0], w) + numbers({4}, 8)};
  });
  const std::vector<Tensor> in{numbers({5, 3})};
  const auto e = planned(g, in);
  EXPECT_TRUE(e->is_static());
  EXPECT_EQ(e->kernels_per_call(), 2);
  for (int i = 0; i < 3; ++i)
    expect_same(e->run(in), graph::replay(*g, in));
}

TEST(Plan, ResultsMayBeInputsConstantsViewsAndRepeated) {
  const auto g = trace({{{2, 6}, DType::float32, "x"}}, [](const std::vector<Tensor>& x) {
    const Tensor y = x[0] * 2.f;
    return std::vector<Tensor>{x[0], numbers({100}), reshape(x[0], {3, 4}), reshape(y, {12}), y, y};
  });
  const std::vector<Tensor> in{numbers({2, 6})};
  const auto out = planned(g, in)->run(in);
  expect_same(out, graph::replay(*g, in));
  EXPECT_EQ(out[0].raw_data(), in[0].raw_data());
}

TEST(Plan, OperandsThatDieAreOverwritten) {
  const auto g = trace({{{1000}, DType::float32, "x"}}, [](const std::vector<Tensor>& x) {
    Tensor y = x[0];
    for (int i = 0; i < 10; ++i)
      y = y * 1.25f + x[0];
    return std::vector<Tensor>{y};
  });
  const std::vector<Tensor> in{numbers({1000})};
  const auto e = planned(g, in);
  expect_same(e->run(in), graph::replay(*g, in));
  EXPECT_EQ(e->stages()[0].arena_bytes, 0) << e->describe();
  PlanOptions apart;
  apart.in_place = false;
  const auto e2 = planned(g, in, apart);
  expect_same(e2->run(in), graph::replay(*g, in));
  EXPECT_EQ(e2->stages()[0].arena_bytes, 2 * 4032);
}

TEST(Plan, AResultOverAnOperandOfAnotherDtypeKeepsItsOwn) {
  const auto g = trace({{{64}, DType::int32, "i"}}, [](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{cast(x[0] + 1, DType::float32)};
  });
  const std::vector<Tensor> in{Tensor::from(std::vector<std::int32_t>(64, 7), Shape{64})};
  expect_same(planned(g, in)->run(in), graph::replay(*g, in));
}

TEST(Plan, BroadcastOperandsAreNotOverwritten) {
  const auto g = trace({{{1, 40}, DType::float32, "x"}}, [](const std::vector<Tensor>& x) {
    const Tensor y = x[0] * 3.f;
    return std::vector<Tensor>{y + reshape(y, {40, 1})};
  });
  const std::vector<Tensor> in{numbers({1, 40})};
  expect_same(planned(g, in)->run(in), graph::replay(*g, in));
}

TEST(Plan, WrongInputsAreErrors) {
  const auto g = trace({{{2}, DType::float32, "x"}},
                       [](const auto& x) { return std::vector<Tensor>{x[0] + 1}; });
  const auto e = planned(g, {numbers({2})});
  EXPECT_THROW(e->run(std::vector<Tensor>{numbers({3})}), Error);
  EXPECT_THROW(e->run(std::vector<Tensor>{Tensor{1, 2}}), Error);
  EXPECT_THROW(e->run(std::vector<Tensor>{Tensor()}), Error);
  EXPECT_THROW(e->run(std::vector<Tensor>{}), Error);
}

TEST(Plan, VariablesAreReadAndUpdatedInPlace) {
  Variable v(numbers({100}), "v");
  const auto g = trace({{{100}, DType::float32, "x"}}, [&](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{v.assign_sub(x[0] * 0.5f)};
  });
  const std::vector<Tensor> in{numbers({100}, 2)};
  Tensor expected = numbers({100}) - in[0] * 0.5f;
  const auto e = planned(g, in);
  const void* memory = v.value().raw_data();
  EXPECT_TRUE(same(e->run(in)[0], expected));
  EXPECT_EQ(v.version(), 2u);
  EXPECT_EQ(v.value().raw_data(), memory);
  const Tensor snapshot = v;
  EXPECT_TRUE(same(e->run(in)[0], expected - in[0] * 0.5f));
  EXPECT_TRUE(same(snapshot, expected)) << "a snapshot does not change";
  EXPECT_EQ(v.version(), 3u);
}

TEST(Plan, AVariableInAUsersMemoryIsNotUpdatedInPlace) {
  std::vector<float> memory(100, 1.f);
  Variable v(Tensor::wrap(memory.data(), DType::float32, {100}, nullptr), "v");
  const auto g = trace({{{100}, DType::float32, "x"}}, [&](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{v.assign_sub(x[0] * 0.5f)};
  });
  const std::vector<Tensor> in{numbers({100}, 2)};
  const Tensor expected = Tensor::ones({100}) - in[0] * 0.5f;
  EXPECT_TRUE(same(planned(g, in)->run(in)[0], expected));
  EXPECT_EQ(memory, std::vector<float>(100, 1.f));
}

TEST(Plan, AScatterOfRowsOfItsOwnTargetReadsThemUnchanged) {
  const auto g = trace({{{6, 100}, DType::float32, "x"}}, [&](const std::vector<Tensor>& x) {
    const Tensor t = x[0] * 2.f;
    const Tensor turned{{1}, {2}, {3}, {4}, {5}, {0}};
    return std::vector<Tensor>{tensor_scatter_update(t, turned, t)};
  });
  const std::vector<Tensor> in{numbers({6, 100})};
  expect_same(planned(g, in)->run(in), graph::replay(*g, in));
}

TEST(Plan, AVariableScattersItsOwnRowsUnchanged) {
  Variable v(numbers({6, 100}), "v");
  const auto g = trace({{{6, 1}, DType::int32, "to"}}, [&](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{v.assign(tensor_scatter_update(v, x[0], v))};
  });
  const std::vector<Tensor> in{Tensor{{1}, {2}, {3}, {4}, {5}, {0}}};
  const Tensor start = v;
  const Tensor expected = tensor_scatter_update(start, in[0], start);
  const auto e = planned(g, in);
  v.assign(numbers({6, 100}));
  EXPECT_TRUE(same(e->run(in)[0], expected));
}

TEST(Plan, AReadBeforeAWriteKeepsItsValue) {
  Variable v(numbers({64}), "v");
  const auto g = trace({{{64}, DType::float32, "x"}}, [&](const std::vector<Tensor>& x) {
    const Tensor before = v;
    v.assign(x[0] * 2.f);
    const Tensor between = v;
    v.assign_add(before);
    return std::vector<Tensor>{before * 1.f, between + 0.f, v.value(), before};
  });
  const std::vector<Tensor> in{numbers({64}, 3)};
  const Tensor old = v, doubled = in[0] * 2.f;
  const auto e = planned(g, in);
  const auto out = e->run(in);
  EXPECT_TRUE(same(out[0], old));
  EXPECT_TRUE(same(out[1], doubled));
  EXPECT_TRUE(same(out[2], doubled + old));
  EXPECT_TRUE(same(out[3], old));
  EXPECT_TRUE(same(v.value(), doubled + old));
}

TEST(Plan, AssignedInputsAreShared) {
  Variable v(numbers({64}), "v"), w(numbers({64}), "w");
  const auto g = trace({{{64}, DType::float32, "x"}}, [&](const std::vector<Tensor>& x) {
    w.assign(v);
    v.assign(x[0]);
    return std::vector<Tensor>{};
  });
  const std::vector<Tensor> in{numbers({64}, 3)};
  const Tensor old = v;
  planned(g, in)->run(in);
  EXPECT_TRUE(same(v.value(), in[0]));
  EXPECT_TRUE(same(w.value(), old));
}

TEST(Specialise, RefusesCallsThatExpandWithoutEnd) {
  auto g = trace({{{2}, DType::float32, "x"}},
                 [](const auto& x) { return std::vector<Tensor>{tanh(x[0])}; });
  for (int level = 0; level < 40; ++level)
    g = calling_twice(g);
  try {
    specialise(*g, std::vector<Spec>{{DType::float32, Shape{2}}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::resource_exhausted);
  }
}

TEST(Specialise, RefusesBranchesThatExpandWithoutEnd) {
  auto g = trace({{{2}, DType::float32, "x"}},
                 [](const auto& x) { return std::vector<Tensor>{tanh(x[0])}; });
  for (int level = 0; level < 40; ++level) {
    g = trace({{{2}, DType::float32, "x"}}, [&](std::vector<Tensor> x) {
      const auto b = graph::current_builder();
      graph::Node n;
      n.kind = graph::Kind::if_;
      n.inputs = {b->ref(sum(x[0]) > 0, {}), b->ref(x[0], {})};
      n.outputs.push_back({DType::float32, Shape{2}});
      n.bodies = {g, g};
      return b->add_structural(std::move(n));
    });
  }
  EXPECT_THROW(specialise(*g, std::vector<Spec>{{DType::float32, Shape{2}}}), Error);
}

TEST(Specialise, FoldsWhatIsKnownAndKeepsTheRest) {
  const auto g = trace({{{-1, 3}, DType::float32, "x"}}, [](const std::vector<Tensor>& x) {
    const Tensor c = Tensor{1.f, 2.f} * 3.f;
    return std::vector<Tensor>{sum(x[0], 1) + sum(c)};
  });
  const std::vector<Tensor> in{numbers({5, 3})};
  const auto s = specialise(*g, specs_of(in));
  EXPECT_EQ(s->spec(s->outputs[0]).shape, (Shape{5}));
  EXPECT_EQ(planned(g, in)->kernels_per_call(), 2);
  expect_same(planned(g, in)->run(in), graph::replay(*g, in));
  EXPECT_THROW(specialise(*g, specs_of({numbers({5, 4})})), Error);
}

}  // namespace
}  // namespace weir::plan
