// Writes a log directory with something for every dashboard; tensorboard_check.py knows the values.

#include <weir/functions.h>
#include <weir/graph_def.h>
#include <weir/operators.h>
#include <weir/ops/nn.h>
#include <weir/profiler.h>
#include <weir/random.h>
#include <weir/summary.h>
#include <weir/variable.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "io/proto/graph.pb.h"

namespace {

using weir::SummaryWriter;
using weir::Tensor;

weir::proto::NodeDef* add_node(weir::proto::GraphDef* graph,
                               const char* name,
                               const char* op,
                               std::initializer_list<const char*> inputs) {
  weir::proto::NodeDef* node = graph->add_node();
  node->set_name(name);
  node->set_op(op);
  node->set_device("/device:CPU:0");
  for (const char* input : inputs)
    node->add_input(input);
  weir::proto::AttrEntry* entry = node->add_attr();
  entry->set_key("_output_shapes");
  auto* shape = entry->mutable_value()->mutable_list()->add_shape();
  shape->add_dim()->set_size(-1);
  shape->add_dim()->set_size(10);
  return node;
}

std::string small_graph() {
  weir::proto::GraphDef graph;
  graph.mutable_versions()->set_producer(1569);
  add_node(&graph, "inputs", "Placeholder", {});
  add_node(&graph, "dense/kernel", "Const", {});
  add_node(&graph, "dense/MatMul", "MatMul", {"inputs", "dense/kernel"});
  add_node(&graph, "dense/Relu", "Relu", {"dense/MatMul"});
  return graph.SerializeAsString();
}

std::vector<weir::NodeStats> small_stats() {
  const std::string cpu = "/device:CPU:0";
  return {{"dense/MatMul", cpu, 1000, 40000, 4096, {weir::Shape{32, 10}}},
          {"dense/Relu", cpu, 42000, 300, 1280, {weir::Shape{32, 10}}}};
}

void write_scalars(SummaryWriter& log) {
  for (int step = 0; step < 20; ++step)
    log.scalar("epoch/loss", 1.0 / (step + 1), step);
  log.scalar("epoch/bad", std::nan(""), 0);
}

void write_media(SummaryWriter& log) {
  Tensor weights = Tensor::from(std::vector<float>{-1, -0.5F, 0, 0.25F, 0.5F, 1}, {2, 3});
  for (int step = 0; step < 3; ++step)
    log.histogram("dense/kernel", weights, step);
  log.histogram("dense/bias", Tensor::zeros({4}), 0);
  log.image("digits", Tensor::full({2, 8, 9, 1}, 0.5F), 0);
  log.text("notes", "# Run\nwith **markdown** and \xc3\xa9", 0);
  const std::pair<std::string, weir::HParam> hparams[] = {
      {"learning_rate", 0.01}, {"shuffle", true}, {"optimizer", std::string("adam")}};
  log.hparams(hparams);
}

void write_graphs(SummaryWriter& log) {
  log.graph(small_graph());
  log.graph("traced", small_graph());
  log.graph("optimised", small_graph(), small_stats());
  log.node_stats("step 7", small_stats(), 7);
}

/// A program under a profiler, beside the graph that it was traced as and the one that ran.
void write_profile(SummaryWriter& log) {
  const weir::Variable w(weir::random::uniform({256, 256}), "layer/kernel");
  const auto f = weir::function(
      [&](const Tensor& x) {
        const weir::NameScope scope("layer");
        return weir::relu(weir::matmul(x, w) + 1.F);
      },
      {.name = "profiled"});
  const Tensor x = weir::random::uniform({100, 256});
  weir::Profiler profiler;
  for (int i = 0; i < 20; ++i)
    f(x);
  profiler.stop();
  const auto concrete = f.get_concrete_function(weir::TensorSpec{{100, 256}});
  const std::vector<weir::NodeStats> stats = profiler.node_stats();
  log.graph(weir::graph_def(concrete));
  log.node_stats("profile", stats, 0);
  log.graph("ran", weir::graph_def(concrete, {.optimised = true}), stats);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: interop_write_log DIRECTORY\n");
    return 2;
  }
  try {
    SummaryWriter train(std::string(argv[1]) + "/train");
    write_scalars(train);
    write_media(train);
    write_graphs(train);
    train.close();
    SummaryWriter test(std::string(argv[1]) + "/test");
    test.scalar("epoch/loss", 0.5, 0);
    test.close();
    SummaryWriter profile(std::string(argv[1]) + "/profile");
    write_profile(profile);
    profile.close();
  } catch (const weir::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
