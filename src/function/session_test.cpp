#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/graph.h>
#include <weir/operators.h>
#include <weir/ops.h>
#include <weir/variable.h>

namespace weir {
namespace {

std::string message_of(auto&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Session, RunsAHandBuiltGraph) {
  Graph g;
  Tensor p = g.placeholder(DType::float32, {-1, 3}, "p");
  Tensor q = matmul(p, g.constant({{1.f}, {2.f}, {3.f}}));
  EXPECT_TRUE(q.is_symbolic());
  EXPECT_EQ(g.size(), 3u);
  const Tensor y = Session(g).run({{p, Tensor{{1.f, 1.f, 1.f}, {0.f, 0.f, 2.f}}}}, q);
  EXPECT_EQ(y.data<float>()[0], 6);
  EXPECT_EQ(y.data<float>()[1], 6);
  EXPECT_EQ(Session(g)
                .run({{g.tensor("p:0"), Tensor{{1.f, 0.f, 0.f}}}}, g.tensor("MatMul"))
                .item<float>(),
            1);
}

TEST(Session, RunsOnlyWhatTheFetchesNeed) {
  Graph g;
  Tensor a = g.placeholder(DType::float32, {2}, "a");
  Tensor b = g.placeholder(DType::float32, {2}, "b");
  Tensor c = a * 2;
  Tensor d = c + b;
  Session session(g);
  EXPECT_EQ(session.run({{a, Tensor{1.f, 2.f}}}, c).data<float>()[1], 4);
  // An intermediate tensor can be fed: `a` is not needed then.
  EXPECT_EQ(session.run({{c, Tensor{10.f, 20.f}}, {b, Tensor{1.f, 1.f}}}, d).data<float>()[1], 21);
}

TEST(Session, SaysWhatIsWrongWithAFeed) {
  Graph g("model");
  Tensor a = g.placeholder(DType::float32, {-1, 2}, "a");
  Tensor b = a * 2;
  Session session(g);
  EXPECT_NE(
      message_of([&] { session.run({}, b); }).find("You must feed a value for placeholder 'a'"),
      std::string::npos);
  EXPECT_NE(message_of([&] {
              session.run({{a, Tensor{{1, 2}}}}, b);
            }).find("cannot feed 'a'"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              session.run({{a, Tensor{1.f, 2.f, 3.f}}}, b);
            }).find("float32[?, 2]"),
            std::string::npos);
  EXPECT_NE(
      message_of([&] { session.run({}, Tensor{1.f}); }).find("no tensor of the session's graph"),
      std::string::npos);
  EXPECT_NE(message_of([&] { (void)g.tensor("nothing"); }).find("no tensor of this name"),
            std::string::npos);
}

TEST(Session, ANameThatIsNoNumberOfAnOutputIsAnError) {
  Graph g;
  g.placeholder(DType::float32, {2}, "x");
  EXPECT_TRUE(g.tensor("x:0").defined());
  for (const char* name : {"x:abc", "x:", "x:1", "x:-1", "x:0z"})
    EXPECT_THROW(g.tensor(name), Error) << name;
}

TEST(Session, TheCacheOfFetchesIsBounded) {
  Graph g;
  const Tensor p = g.placeholder(DType::float32, {1}, "p");
  constexpr int kFloats = 1024;
  std::vector<Tensor> fetches;
  for (int i = 0; i < 300; ++i) {  // each is folded to a constant of its trace
    const Tensor c = g.constant(Tensor::full<float>({1}, float(i)));
    fetches.push_back(p + tile(c, {kFloats}));
  }
  Session session(g);
  const Tensor one{1.f};
  const std::int64_t before = memory_stats().in_use;
  for (const Tensor& t : fetches)
    (void)session.run({{p, one}}, t);
  EXPECT_LT(memory_stats().in_use - before, 150 * kFloats * std::int64_t(sizeof(float)));
  EXPECT_EQ(session.run({{p, one}}, fetches[7]).data<float>()[kFloats - 1], 8);
}

TEST(Session, AGraphCanGrowBetweenRuns) {
  Graph g;
  Tensor a = g.placeholder(DType::float32, {}, "a");
  Tensor b = a + 1;
  Session session(g);
  EXPECT_EQ(session.run({{a, Tensor(1.f)}}, b).item<float>(), 2);
  Tensor c = b * b;
  EXPECT_EQ(session.run({{a, Tensor(1.f)}}, c).item<float>(), 4);
}

TEST(Session, AVariableBesideATensorOfAGraphIsReadByEachRun) {
  Graph g;
  Variable w(Tensor{{1.f}, {2.f}}, "w"), b(Tensor{0.f}, "b"), count(Tensor{0.f, 0.f}, "count");
  Tensor p = g.placeholder(DType::float32, {1, 2}, "p");
  Tensor q = b + matmul(p, w);
  Tensor written = count.assign_add(reshape(p, 2));
  Session session(g);
  const Tensor ones{{1.f, 1.f}};
  EXPECT_EQ(session.run({{p, ones}}, q).item<float>(), 3);
  w.assign(Tensor{{10.f}, {20.f}});
  b.assign(Tensor{5.f});
  EXPECT_EQ(session.run({{p, ones}}, q).item<float>(), 35);
  EXPECT_EQ(count.value().data<float>()[0], 0);
  session.run({{p, ones}}, written);
  EXPECT_EQ(count.value().data<float>()[0], 1);
}

TEST(Session, OperandsChooseTheGraphBeforeTheScopeDoes) {
  Graph g, other;
  Tensor p = g.placeholder(DType::float32, {}, "p");
  Tensor q;
  {
    auto scope = other.as_default();
    q = p * 2;
  }
  EXPECT_EQ(Session(g).run({{p, Tensor(3.f)}}, q).item<float>(), 6);
  Tensor r = other.placeholder(DType::float32, {}, "r");
  EXPECT_NE(message_of([&] { (void)(p + r); }).find("out of its scope"), std::string::npos);
}

TEST(Session, AScopeMakesNodesOfEveryCall) {
  Graph g;
  Variable v(Tensor(3.f), "v");
  Tensor doubled;
  {
    auto scope = g.as_default();
    doubled = v * 2;
  }
  v.assign(Tensor(5.f));
  EXPECT_EQ(Session(g).run({}, doubled).item<float>(), 10);
}

}  // namespace
}  // namespace weir
