#include <weir/checkpoint.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <set>

#include "io/bundle/bundle.h"
#include "io/checkpoint/object_graph.h"
#include "io/checkpoint/state_file.h"
#include "io/file/file.h"
#include "platform/file.h"
#include "platform/file_lock.h"
#include "tensor/tensor_impl.h"
#include "tensor/variable_state.h"

namespace weir {
namespace io::checkpoint {
namespace {

constexpr std::string_view kCounter = "save_counter";
constexpr std::size_t kNamesInError = 10;

proto::TrackableObjectGraph parse_graph(const Tensor& value, const std::string& what) {
  proto::TrackableObjectGraph graph;
  const bool is_text = value.dtype() == DType::string && value.size() == 1;
  const std::string_view bytes = is_text ? std::string_view(value.data<StringView>()[0]) : "";
  if (!is_text || bytes.size() > INT32_MAX ||
      !graph.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail(Code::data_loss, what + ": its object graph cannot be read");
  }
  return graph;
}

Match find_values(const Trackable& root, const bundle::Reader& reader, const std::string& what) {
  if (reader.find(kGraphKey) != nullptr) {
    return match(root, parse_graph(reader.read(kGraphKey), what), what);
  }
  std::vector<std::string> names;
  for (const bundle::TensorInfo& info : reader.tensors())
    names.push_back(info.name);
  return match_names(root, names);
}

// In memory of its own: the file may be anything later, and the next step writes to most of them.
Tensor own_copy(const Tensor& value) {
  if (value.dtype() == DType::string) return value;
  Tensor copy = TensorImpl::concrete(value.dtype(), value.impl()->shape());
  if (value.nbytes() > 0) {
    std::memcpy(copy.impl()->data(), value.raw_data(), static_cast<std::size_t>(value.nbytes()));
  }
  return copy;
}

Tensor read_value(const bundle::Reader& reader,
                  const NamedVariable& target,
                  const std::string& what) {
  const bundle::TensorInfo* info = reader.find(target.key);
  if (info == nullptr) fail(Code::data_loss, what + ": the value '" + target.key + "' is missing");
  const Variable& v = target.variable;
  if (info->dtype == v.dtype() && info->shape == v.shape())
    return own_copy(reader.read(target.key));
  throw Error({Code::invalid_argument,
               what + ": '" + target.key + "' does not fit the variable '" + v.name() + "'",
               {},
               std::string(name(info->dtype)) + info->shape.to_string(),
               std::string(name(v.dtype())) + v.shape().to_string(),
               "build the objects that the checkpoint was made of"});
}

// All values are there before the first variable changes, and changing them cannot fail.
void assign_all(const bundle::Reader& reader, const Match& match, const std::string& what) {
  std::vector<Tensor> values;
  for (const NamedVariable& target : match.variables)
    values.push_back(read_value(reader, target, what));
  for (std::size_t i = 0; i < values.size(); ++i) {
    VariableState& state = *match.variables[i].variable.state();
    std::lock_guard lock(state.mutex);
    state.set_locked(std::move(values[i]));
  }
}

void write_bundle(const Trackable& root, const std::string& prefix) {
  const ObjectGraph graph = collect(root);
  std::vector<Tensor> values;  // all at once: a step that runs meanwhile changes none of them
  for (const NamedVariable& v : graph.variables)
    values.push_back(v.variable.state()->snapshot());
  bundle::Writer writer(prefix);
  for (std::size_t i = 0; i < values.size(); ++i)
    writer.add(graph.variables[i].key, values[i]);
  writer.add(kGraphKey, Tensor(graph.proto.SerializeAsString()));
  writer.commit();
}

// Runs `call`; memory that runs out is an Error as any other.
template <class Call>
auto with_memory_errors(const std::string& path, const Call& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    fail(Code::resource_exhausted, "checkpoint '" + path + "': out of memory");
  }
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Notes a new checkpoint; `keep` > 0 drops the oldest. Returns the names that were dropped.
std::vector<std::string> note(const std::string& directory,
                              const std::string& name,
                              std::size_t keep) {
  platform::DirectoryLock lock;
  check(platform::DirectoryLock::acquire(directory, &lock));
  const State state = read_state(directory);
  const bool timed = state.timestamps.size() == state.all.size();
  State next;
  for (std::size_t i = 0; i < state.all.size(); ++i) {
    if (state.all[i] == name || !bundle::exists(platform::join_path(directory, state.all[i])))
      continue;
    next.all.push_back(state.all[i]);
    next.timestamps.push_back(timed ? state.timestamps[i] : 0);
  }
  next.all.push_back(name);
  next.timestamps.push_back(now());
  next.latest = name;
  std::vector<std::string> dropped;
  if (keep > 0 && next.all.size() > keep) {
    const auto excess = static_cast<std::ptrdiff_t>(next.all.size() - keep);
    dropped.assign(next.all.begin(), next.all.begin() + excess);
    next.all.erase(next.all.begin(), next.all.begin() + excess);
    next.timestamps.erase(next.timestamps.begin(), next.timestamps.begin() + excess);
  }
  write_state(directory, next);
  return dropped;
}

// Existing checkpoints, oldest first.
std::vector<std::string> listed(const std::string& directory) {
  const State state = read_state(directory);
  std::vector<std::string> names = state.all;
  if (!state.latest.empty() && std::find(names.begin(), names.end(), state.latest) == names.end()) {
    names.push_back(state.latest);
  }
  std::vector<std::string> paths;
  for (const std::string& name : names) {
    const std::string path = platform::join_path(directory, name);
    if (bundle::exists(path)) paths.push_back(path);
  }
  return paths;
}

std::string list_of(const char* what, const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesInError); ++i)
    text += (i == 0 ? std::string(what) + " " : ", ") + names[i];
  if (names.size() > kNamesInError)
    text += " and " + std::to_string(names.size() - kNamesInError) + " more";
  return text;
}

[[noreturn]] void throw_unmatched(const std::string& path,
                                  const std::vector<std::string>& unused,
                                  const std::vector<std::string>& missing) {
  const std::string gap = unused.empty() || missing.empty() ? "" : "; ";
  throw Error({Code::failed_precondition,
               "checkpoint '" + path + "' and the objects do not match in all",
               {},
               list_of("unused:", unused) + gap + list_of("missing:", missing),
               "every value used, every variable restored",
               "build the same objects before (call the model once), or expect_partial()"});
}

}  // namespace
}  // namespace io::checkpoint

inline namespace v0 {

using namespace io::checkpoint;
namespace bundle = io::bundle;
namespace platform = weir::platform;

void RestoreStatus::assert_consumed() const {
  if (!unused_.empty() || !missing_.empty()) throw_unmatched(path_, unused_, missing_);
}

void RestoreStatus::assert_existing_objects_matched() const {
  if (!missing_.empty()) throw_unmatched(path_, {}, missing_);
}

class Checkpoint::Impl {
 public:
  explicit Impl(Trackable::Group objects)
      : counter(Tensor(std::int64_t{0}), std::string(kCounter), false), root(std::move(objects)) {}

  RestoreStatus restore(const std::string& path, bool counter_is_optional) {
    const std::string what = "checkpoint '" + path + "'";
    const bundle::Reader reader(path);
    Match match = find_values(root, reader, what);
    assign_all(reader, match, what);
    if (counter_is_optional) {
      const std::string key = std::string(kCounter) + "/.ATTRIBUTES/" + std::string(kValue);
      std::erase(match.missing, key);
    }
    return {path, match.unused, match.missing};
  }

  Variable counter;
  Trackable root;
};

Trackable::Group Checkpoint::with_roles(const std::vector<Trackable>& objects) {
  Trackable::Group group;
  for (const Trackable& object : objects)
    group.emplace_back(object.object()->role(), object);
  return group;
}

Checkpoint::Checkpoint(const Trackable::Group& objects) {
  std::set<std::string> names{std::string(kCounter)};
  for (const auto& [name, object] : objects) {
    if (!name.empty() && names.insert(name).second) continue;
    throw Error({Code::invalid_argument,
                 "Checkpoint: a name that is empty or there twice",
                 {},
                 "'" + name + "'",
                 "names of their own",
                 "Checkpoint({{\"generator\", g}, {\"encoder\", e}})"});
  }
  impl_ = std::make_shared<Impl>(objects);
  Trackable::Group all = objects;
  all.emplace_back(kCounter, impl_->counter);
  impl_->root = Trackable(all);
}

std::string Checkpoint::save(const std::string& prefix) const {
  return save(prefix, 0);
}

std::string Checkpoint::save(const std::string& prefix, int max_to_keep) const {
  const Tensor before = impl_->counter.value();
  const std::int64_t number = before.item<std::int64_t>() + 1;
  const std::string path = prefix + "-" + std::to_string(number);
  const std::string directory = platform::parent_path(path);
  std::vector<std::string> dropped;
  impl_->counter.assign(Tensor(number));
  try {
    write(path);
    dropped = note(directory, platform::base_name(path), static_cast<std::size_t>(max_to_keep));
  } catch (...) {
    impl_->counter.assign(before);
    throw;
  }
  for (const std::string& name : dropped)
    bundle::remove(platform::join_path(directory, name));
  return path;
}

void Checkpoint::write(const std::string& prefix) const {
  with_memory_errors(prefix, [&] { write_bundle(impl_->root, prefix); });
}

RestoreStatus Checkpoint::restore(const std::string& path) const {
  return with_memory_errors(path, [&] { return impl_->restore(path, false); });
}

RestoreStatus Checkpoint::read(const std::string& path) const {
  return with_memory_errors(path, [&] { return impl_->restore(path, true); });
}

const Variable& Checkpoint::save_counter() const {
  return impl_->counter;
}

CheckpointManager::CheckpointManager(const Checkpoint& checkpoint,
                                     const std::string& directory,
                                     const CheckpointManagerOptions& options)
    : checkpoint_(checkpoint), directory_(directory), options_(options) {
  const std::string& name = options.checkpoint_name;
  if (directory.empty() || name.empty() || name.find('/') != std::string::npos ||
      options.max_to_keep < 0)
    throw Error({Code::invalid_argument,
                 "CheckpointManager: an empty directory, a name that is none, or max_to_keep < 0",
                 {},
                 "'" + directory + "', '" + name + "', " + std::to_string(options.max_to_keep),
                 {},
                 {}});
}

std::string CheckpointManager::save() const {
  return checkpoint_.save(platform::join_path(directory_, options_.checkpoint_name),
                          options_.max_to_keep);
}

std::string CheckpointManager::latest_checkpoint() const {
  return weir::latest_checkpoint(directory_);
}

std::vector<std::string> CheckpointManager::checkpoints() const {
  return listed(directory_);
}

std::string latest_checkpoint(const std::string& directory) {
  const State state = read_state(directory);
  const std::string latest = platform::join_path(directory, state.latest);
  if (!state.latest.empty() && bundle::exists(latest)) return latest;
  const std::vector<std::string> paths = listed(directory);
  return paths.empty() ? std::string() : paths.back();
}

class CheckpointReader::Impl {
 public:
  explicit Impl(const std::string& path) : reader(path) {}
  bundle::Reader reader;
};

std::vector<TensorSpec> CheckpointReader::tensors() const {
  std::vector<TensorSpec> specs;
  for (const bundle::TensorInfo& info : impl_->reader.tensors())
    specs.push_back({info.shape, info.dtype, info.name});
  return specs;
}

bool CheckpointReader::contains(const std::string& name) const {
  return impl_->reader.find(name) != nullptr;
}

Tensor CheckpointReader::get(const std::string& name) const {
  return impl_->reader.read(name);
}

CheckpointReader load_checkpoint(const std::string& path) {
  return CheckpointReader(std::make_shared<const CheckpointReader::Impl>(path));
}

}  // namespace v0
}  // namespace weir
