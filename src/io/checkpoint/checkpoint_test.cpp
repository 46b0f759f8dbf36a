#include <gtest/gtest.h>
#include <weir/checkpoint.h>
#include <weir/error.h>

#include <cerrno>

#include "io/bundle/bundle.h"
#include "io/checkpoint/object_graph.h"
#include "platform/file.h"
#include "platform/file_faults.h"
#include "platform/test_directory.h"

namespace weir {
namespace {

using platform::TestDirectory;

Variable variable(float value, const std::string& name = "v") {
  return Variable(Tensor::full({3}, value), name);
}

float value_of(const Variable& v) {
  const Tensor value = v.value();
  return value.data<float>()[0];
}

Code code_of(const auto& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.code();
  }
  return Code::ok;
}

TEST(Checkpoint, RestoresWhatItSaved) {
  const TestDirectory directory;
  const Variable a = variable(1, "a"), b = variable(2, "b");
  const Variable step(Tensor(std::int64_t{7}), "step");
  const Checkpoint checkpoint({{"group", Trackable::Group{{"x.y/z", a}}},
                               {"list", std::vector<Trackable>{b, a}},
                               {"step", step}});
  const std::string path = checkpoint.save(directory / "ck");
  EXPECT_EQ(path, directory / "ck-1");
  a.assign(Tensor::full({3}, 9.f));
  step.assign(Tensor(std::int64_t{0}));
  checkpoint.restore(path).assert_consumed();
  EXPECT_EQ(value_of(a), 1);
  EXPECT_EQ(value_of(b), 2);
  EXPECT_EQ(step.value().item<std::int64_t>(), 7);
  EXPECT_TRUE(load_checkpoint(path).contains("group/x..y.Sz/.ATTRIBUTES/VARIABLE_VALUE"));
}

TEST(Checkpoint, NamesObjectsAfterTheirKind) {
  const TestDirectory directory;
  const Variable step(Tensor(std::int64_t{1}), "step");
  Checkpoint(step, Generator::from_seed(3)).write(directory / "ck");
  const CheckpointReader reader = load_checkpoint(directory / "ck");
  EXPECT_TRUE(reader.contains("step/.ATTRIBUTES/VARIABLE_VALUE"));
  EXPECT_TRUE(reader.contains("generator/_weir_state/.ATTRIBUTES/VARIABLE_VALUE"));
  EXPECT_THROW(Checkpoint(step, step), Error);
  EXPECT_THROW(Checkpoint({{"", step}}), Error);
  EXPECT_THROW(Checkpoint{Variable()}, Error);
}

TEST(Checkpoint, ContinuesAGenerator) {
  const TestDirectory directory;
  const Generator generator = Generator::from_seed(3);
  generator.normal({2});
  const Checkpoint checkpoint(generator);
  checkpoint.write(directory / "ck");
  const std::string next = generator.normal({4}).to_string();
  generator.reset(5);
  checkpoint.read(directory / "ck").assert_consumed();
  EXPECT_EQ(generator.normal({4}).to_string(), next);
}

TEST(Checkpoint, SaysWhatDidNotMatch) {
  const TestDirectory directory;
  const Variable a = variable(1), b = variable(2);
  Checkpoint({{"a", a}, {"b", b}}).write(directory / "ck");
  const Variable c = variable(3);
  a.assign(Tensor::full({3}, 5.f));
  const RestoreStatus status = Checkpoint({{"a", a}, {"c", c}}).read(directory / "ck");
  EXPECT_EQ(value_of(a), 1);
  EXPECT_EQ(value_of(c), 3);
  EXPECT_EQ(status.unused(), std::vector<std::string>{"b/.ATTRIBUTES/VARIABLE_VALUE"});
  EXPECT_EQ(status.missing(), std::vector<std::string>{"c/.ATTRIBUTES/VARIABLE_VALUE"});
  EXPECT_EQ(code_of([&] { status.assert_consumed(); }), Code::failed_precondition);
  EXPECT_EQ(code_of([&] { status.assert_existing_objects_matched(); }), Code::failed_precondition);
  status.expect_partial();
}

TEST(Checkpoint, ChangesNothingWhenAValueDoesNotFit) {
  const TestDirectory directory;
  Checkpoint({{"a", variable(1)}, {"b", variable(2)}}).write(directory / "ck");
  const Variable a = variable(7);
  const Variable b(Tensor::zeros({4}), "b");
  EXPECT_EQ(code_of([&] {
              Checkpoint({{"a", a}, {"b", b}}).read(directory / "ck").expect_partial();
            }),
            Code::invalid_argument);
  EXPECT_EQ(value_of(a), 7);
  EXPECT_EQ(code_of([&] {
              Checkpoint({{"a", a}}).restore(directory / "none").expect_partial();
            }),
            Code::not_found);
}

TEST(Checkpoint, MatchesByNameWhatHoldsNoObjects) {
  const TestDirectory directory;
  io::bundle::Writer writer(directory / "names");
  writer.add("dense/kernel", Tensor::full({3}, 4.f));
  writer.add("other", Tensor(1.f));
  writer.commit();
  const Variable kernel = variable(0, "dense/kernel");
  const RestoreStatus status = Checkpoint({{"w", kernel}}).read(directory / "names");
  EXPECT_EQ(value_of(kernel), 4);
  EXPECT_EQ(status.unused(), std::vector<std::string>{"other"});
  EXPECT_TRUE(status.missing().empty());
}

TEST(Checkpoint, RefusesGraphsThatReferToNothing) {
  const TestDirectory directory;
  for (const int node : {-1, 1, 1 << 30}) {
    proto::TrackableObjectGraph graph;
    graph.add_nodes()->add_children()->set_node_id(node);
    io::bundle::Writer writer(directory / "ck");
    writer.add(io::checkpoint::kGraphKey, Tensor(graph.SerializeAsString()));
    writer.commit();
    EXPECT_EQ(code_of([&] {
                Checkpoint({{"a", variable(1)}}).read(directory / "ck").expect_partial();
              }),
              Code::data_loss);
  }
}

TEST(Checkpoint, FollowsCircles) {
  const TestDirectory directory;
  proto::TrackableObjectGraph graph;
  auto* child = graph.add_nodes()->add_children();
  child->set_local_name("a");
  child->set_node_id(0);
  io::bundle::Writer writer(directory / "ck");
  writer.add(io::checkpoint::kGraphKey, Tensor(graph.SerializeAsString()));
  writer.commit();
  const RestoreStatus status =
      Checkpoint({{"a", Trackable::Group{{"a", variable(1)}}}}).read(directory / "ck");
  EXPECT_EQ(status.missing().size(), 1U);
}

TEST(CheckpointManager, KeepsTheLatest) {
  const TestDirectory directory;
  const Variable v = variable(0);
  const CheckpointManager manager(Checkpoint({{"v", v}}), directory / "run a", {.max_to_keep = 2});
  EXPECT_EQ(manager.latest_checkpoint(), "");
  for (int i = 1; i <= 4; ++i) {
    v.assign(Tensor::full({3}, float(i)));
    EXPECT_EQ(manager.save(), directory / ("run a/ckpt-" + std::to_string(i)));
  }
  EXPECT_EQ(manager.checkpoints(),
            (std::vector<std::string>{directory / "run a/ckpt-3", directory / "run a/ckpt-4"}));
  EXPECT_EQ(latest_checkpoint(directory / "run a"), directory / "run a/ckpt-4");
  std::vector<std::string> files;
  ASSERT_TRUE(platform::list_directory(directory / "run a", &files).ok());
  EXPECT_EQ(files.size(), 5U);  // two checkpoints of two files, and their list
}

TEST(CheckpointManager, GoesOnCountingAfterARestore) {
  const TestDirectory directory;
  {
    const CheckpointManager manager(Checkpoint({{"v", variable(5)}}), directory.path());
    manager.save();
    manager.save();
  }
  const Variable v = variable(0);
  const Checkpoint checkpoint({{"v", v}});
  const CheckpointManager manager(checkpoint, directory.path());
  checkpoint.restore(manager.latest_checkpoint()).assert_consumed();
  EXPECT_EQ(value_of(v), 5);
  EXPECT_EQ(manager.save(), directory / "ckpt-3");
  EXPECT_EQ(manager.checkpoints().size(), 3U);
}

// Every system call of a save fails in turn: the last good checkpoint is still the latest, or the
// new one is.
TEST(CheckpointManager, KeepsTheLastGoodOneWhenASaveFails) {
  // The run that does not come to its n-th call is the last.
  for (std::int64_t n = 1, calls = n; calls >= n; ++n) {
    const TestDirectory directory;
    const Variable v = variable(1);
    const Checkpoint checkpoint({{"v", v}});
    const CheckpointManager manager(checkpoint, directory.path(), {.max_to_keep = 1});
    manager.save();
    v.assign(Tensor::full({3}, 2.f));
    platform::set_fault_plan({.nth = n, .error = ENOSPC});
    const bool failed = code_of([&] { manager.save(); }) != Code::ok;
    calls = platform::clear_fault_plan();
    EXPECT_EQ(failed, calls >= n) << n;
    checkpoint.restore(manager.latest_checkpoint()).assert_consumed();
    EXPECT_TRUE(value_of(v) == 2 || (failed && value_of(v) == 1)) << n;
    manager.save();
    std::vector<std::string> files;
    ASSERT_TRUE(platform::list_directory(directory.path(), &files).ok());
    for (const std::string& file : files)
      EXPECT_NE(file.substr(0, 5), ".weir") << "call " << n;
  }
}

}  // namespace
}  // namespace weir
