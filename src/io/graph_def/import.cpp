#include "io/graph_def/import.h"

#include "io/file/file.h"
#include "io/graph_def/library.h"
#include "io/graph_def/node_reader.h"

namespace weir::io {
namespace {

std::shared_ptr<graph::Graph> finished(graph::Builder& builder, const Values& values) {
  std::vector<Tensor> results;
  for (const Value& value : values) {
    if (!value.is_tensor()) fail(Code::data_loss, "a result that is no tensor");
    results.push_back(value.tensor);
  }
  std::shared_ptr<graph::Graph> graph = builder.finish(results);
  graph::verify(*graph);
  return graph;
}

// What runs now is no part of a trace or a tape.
class RunNow {
 private:
  dispatch::PauseRecording pause_;
  dispatch::HandlerScope scope_{dispatch::default_handler()};
};

}  // namespace

std::shared_ptr<graph::Graph> import_graph(const proto::GraphDef& def,
                                           std::span<const ImportedInput> inputs,
                                           std::span<const std::string> outputs,
                                           const std::string& name,
                                           Resources& resources) {
  Library library(def.library(), resources);
  const auto builder = graph::Builder::create(name);
  const dispatch::HandlerScope scope(*builder);
  NodeReader reader(library, def.node(), builder.get(), false);
  for (const ImportedInput& input : inputs) {
    const Reference tensor = parse_reference(input.tensor, false);
    reader.set(tensor.node, tensor.number, builder->input(input.spec));
  }
  for (const std::string& output : outputs)
    reader.read(output);
  Values results;
  for (const std::string& output : outputs)
    results.push_back(reader.value(output));
  return finished(*builder, results);
}

std::shared_ptr<graph::Graph> import_function(const proto::GraphDef& def,
                                              const std::string& function,
                                              std::span<const TensorSpec> inputs,
                                              std::span<const Value> captures,
                                              Resources& resources) {
  Library library(def.library(), resources);
  const auto builder = graph::Builder::create(function);
  const dispatch::HandlerScope scope(*builder);
  Values arguments;
  for (const TensorSpec& spec : inputs)
    arguments.emplace_back(builder->input(spec));
  arguments.insert(arguments.end(), captures.begin(), captures.end());
  return finished(*builder, library.expand(function, arguments, builder.get()));
}

void run_nodes(const proto::GraphDef& def,
               std::span<const Feed> feeds,
               std::span<const std::string> nodes,
               Resources& resources) {
  Library library(def.library(), resources);
  const RunNow now;
  NodeReader reader(library, def.node(), nullptr, false);
  for (const Feed& feed : feeds) {
    const Reference tensor = parse_reference(feed.tensor, false);
    reader.set(tensor.node, tensor.number, feed.value);
  }
  for (const std::string& node : nodes)
    reader.read(node);
}

Values run_function(const proto::GraphDef& def,
                    const std::string& function,
                    const Values& arguments,
                    Resources& resources) {
  Library library(def.library(), resources);
  const RunNow now;
  return library.expand(function, arguments, nullptr);
}

}  // namespace weir::io
