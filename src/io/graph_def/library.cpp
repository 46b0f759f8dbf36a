#include "io/graph_def/library.h"

#include <algorithm>

#include "io/file/file.h"
#include "io/graph_def/node_reader.h"

namespace weir::io {
namespace {

constexpr std::size_t kMaxDepth = 64;  // of functions that call functions
// Expanded calls may be nested so that a small file stands for a graph that no machine holds.
constexpr std::int64_t kMaxExpandedNodes = 4'000'000;
// What a call counts beside its nodes: a loop of functions without any must end as well.
constexpr std::int64_t kNodesOfACall = 64;

// What makes two lists of arguments need two readings of a function.
std::string key_of(const std::string& name, std::span<const Value> arguments) {
  std::string key = name;
  for (const Value& value : arguments) {
    key += '|';
    if (value.handle != nullptr) key += "v" + value.handle->name;
    if (value.list != nullptr) key += value.list->items.defined() ? "l" : "u";
    for (const Tensor& tensor : tensors_of({&value, 1})) {
      key += Spec{tensor.dtype(), tensor.shape()}.describe();
    }
  }
  return key;
}

const std::string& result_of(const proto::FunctionDef& function, const std::string& output) {
  for (const proto::NameEntry& entry : function.ret()) {
    if (entry.key() == output) return entry.value();
  }
  fail(Code::data_loss, "a function without result '" + output.substr(0, 200) + "'");
}

}  // namespace

std::vector<Tensor> tensors_of(std::span<const Value> values) {
  std::vector<Tensor> tensors;
  for (const Value& value : values) {
    if (value.is_tensor()) tensors.push_back(value.tensor);
    if (value.list == nullptr) continue;
    tensors.push_back(value.list->items.defined() ? value.list->items : value.list->size);
  }
  return tensors;
}

Values with_tensors(std::span<const Value> values, std::span<const Tensor> tensors) {
  Values result(values.begin(), values.end());
  std::size_t next = 0;
  for (Value& value : result) {
    if (value.is_tensor()) value.tensor = tensors[next++];
    if (value.list == nullptr) continue;
    List list = *value.list;
    (list.items.defined() ? list.items : list.size) = tensors[next++];
    value = std::move(list);
  }
  return result;
}

bool same_kind(const Value& a, const Value& b) {
  if (a.is_tensor() != b.is_tensor() || a.handle != b.handle) return false;
  if ((a.list == nullptr) != (b.list == nullptr)) return false;
  if (a.is_tensor()) return a.tensor.dtype() == b.tensor.dtype();
  if (a.list == nullptr) return true;
  return a.list->dtype == b.list->dtype && a.list->items.defined() == b.list->items.defined();
}

// A function that is being read: it may not be needed by itself, nor at any depth.
class Library::Opened {
 public:
  Opened(Library& library, const std::string& name) : library_(library), name_(name) {
    if (library.open_.size() >= kMaxDepth) {
      fail(Code::data_loss, "functions are nested more than 64 deep");
    }
    if (!library.open_.insert(name).second) {
      fail(Code::unimplemented, "the function '" + name.substr(0, 200) + "' calls itself");
    }
  }
  ~Opened() { library_.open_.erase(name_); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

 private:
  Library& library_;
  const std::string name_;
};

Library::Library(const proto::FunctionDefLibrary& library, Resources& resources)
    : resources_(resources) {
  for (const proto::FunctionDef& function : library.function()) {
    if (functions_.emplace(function.signature().name(), &function).second) continue;
    fail(Code::data_loss,
         "the function '" + function.signature().name().substr(0, 200) + "' is there twice");
  }
}

const Body& Library::body(const std::string& name, std::span<const Value> arguments) {
  const std::string key = key_of(name, arguments);
  const auto known = bodies_.find(key);
  if (known != bodies_.end()) return known->second;
  const proto::OpDef& signature = find(name, arguments.size()).signature();
  const auto builder = graph::Builder::create(name);
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    for (const Tensor& tensor : tensors_of(arguments.subspan(i, 1))) {
      const std::string& input = signature.input_arg(static_cast<int>(i)).name();
      inputs.push_back(builder->input({tensor.shape(), tensor.dtype(), input}));
    }
  }
  Values results;
  {
    const dispatch::HandlerScope scope(*builder);
    results = expand(name, with_tensors(arguments, inputs), builder.get());
  }
  std::shared_ptr<graph::Graph> graph = builder->finish(tensors_of(results));
  return bodies_[key] = Body{std::move(graph), std::move(results)};
}

const proto::FunctionDef& Library::find(const std::string& name, std::size_t arguments) const {
  const auto found = functions_.find(name);
  if (found == functions_.end()) {
    fail(Code::data_loss, "there is no function '" + name.substr(0, 200) + "'");
  }
  if (found->second->signature().input_arg_size() != static_cast<int>(arguments)) {
    fail(Code::data_loss,
         "the function '" + name.substr(0, 200) + "' takes another number of arguments");
  }
  return *found->second;
}

Values Library::expand(const std::string& name, const Values& arguments, graph::Builder* builder) {
  const proto::FunctionDef& function = find(name, arguments.size());
  const proto::OpDef& signature = function.signature();
  const Opened opened(*this, name);
  expanded_nodes_ += kNodesOfACall + function.node_def_size();
  if (expanded_nodes_ > kMaxExpandedNodes) {
    fail(Code::resource_exhausted, "its functions stand for more than 4,000,000 nodes");
  }
  NodeReader reader(*this, function.node_def(), builder, true);
  for (int i = 0; i < signature.input_arg_size(); ++i) {
    reader.set(signature.input_arg(i).name(), 0, arguments[static_cast<std::size_t>(i)]);
  }
  for (const proto::NameEntry& entry : function.control_ret())
    reader.read(entry.value());
  std::vector<const std::string*> wanted;
  for (const auto& output : signature.output_arg()) {
    wanted.push_back(&result_of(function, output.name()));
    reader.read(*wanted.back());
  }
  Values results;
  for (const std::string* reference : wanted)
    results.push_back(reader.value(*reference));
  return results;
}

}  // namespace weir::io
