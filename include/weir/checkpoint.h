/// Checkpoints: the state of a training on disk, in TensorFlow's format.
///
///     Variable step(Tensor(std::int64_t{0}), "step");
///     Checkpoint checkpoint(model, optimizer, step, random::default_generator());
///     CheckpointManager manager(checkpoint, "training", {.max_to_keep = 3});
///     if (!manager.latest_checkpoint().empty())
///       checkpoint.restore(manager.latest_checkpoint()).assert_consumed();
///     ... manager.save();
///
/// A training that goes on from a checkpoint of its model, optimiser, counters and generators takes
/// the same steps, bit for bit, as one that was never interrupted. `tf.train.Checkpoint` restores
/// what Weir saves and the other way round, for models, optimisers and variables (the state of a
/// Generator is Weir's own). A checkpoint appears under its name when it is complete and on disk; a
/// save that fails leaves what was there before.
#pragma once

#include <weir/export.h>
#include <weir/random.h>
#include <weir/tensor.h>
#include <weir/variable.h>

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::inline v0 {

class TrackableObject;

/// Something a checkpoint can hold: a variable, a generator, a model, an optimiser, a list or a
/// group of those, or an object of your own:
///
///     struct Counter { Variable steps, samples; };
///     Trackable trackable(const Counter& c) {
///       return std::vector<std::pair<std::string, Trackable>>{{"steps", c.steps},
///                                                             {"samples", c.samples}};
///     }
class WEIR_API Trackable {
 public:
  using Group = std::vector<std::pair<std::string, Trackable>>;
  Trackable(const Variable& variable);
  Trackable(const Generator& generator);
  Trackable(const Group& children);
  /// Children "0", "1" ...
  Trackable(const std::vector<Trackable>& list);
  Trackable(std::shared_ptr<const TrackableObject> object) : object_(std::move(object)) {}
  template <class T>
  requires requires(const T& t) {
    { trackable(t) } -> std::same_as<Trackable>;
  }
  Trackable(const T& object) : Trackable(trackable(object)) {}

  const std::shared_ptr<const TrackableObject>& object() const { return object_; }

 private:
  std::shared_ptr<const TrackableObject> object_;
};

/// What a checkpoint sees of an object. For implementers of kinds of objects.
class WEIR_API TrackableObject {
 public:
  virtual ~TrackableObject() = default;
  /// Two with the same identity are one object in a checkpoint.
  virtual const void* identity() const { return this; }
  /// The name in a Checkpoint that is given none.
  virtual std::string role() const = 0;
  /// Of a leaf; else undefined.
  virtual Variable variable() const { return {}; }
  /// By the names that TensorFlow gives them. One object may have several names.
  virtual Trackable::Group children() const { return {}; }
  /// An object that makes variables from those of others (slots of an optimiser) names the child,
  /// in a checkpoint, that lists them; when it is restored, `build` gets those that were matched.
  virtual std::string made_from() const { return {}; }
  virtual void build(const std::vector<Variable>& variables) const { (void)variables; }
};

/// What a restore did. Nothing is printed: say what you expect of it.
class WEIR_API RestoreStatus {
 public:
  RestoreStatus(std::string path, std::vector<std::string> unused, std::vector<std::string> missing)
      : path_(std::move(path)), unused_(std::move(unused)), missing_(std::move(missing)) {}

  /// Keys of the values in the checkpoint that no object took.
  const std::vector<std::string>& unused() const { return unused_; }
  /// Variables that the checkpoint has no value for; they kept theirs.
  const std::vector<std::string>& missing() const { return missing_; }
  /// Error (`failed_precondition`, with the names): something is unused or missing.
  void assert_consumed() const;
  /// Error: something is missing.
  void assert_existing_objects_matched() const;
  /// Both may be.
  void expect_partial() const {}

 private:
  std::string path_;
  std::vector<std::string> unused_, missing_;
};

/// A set of objects to save and restore together. A handle.
class WEIR_API Checkpoint {
 public:
  /// Objects by name. Errors: a name that is empty or there twice.
  explicit Checkpoint(const Trackable::Group& objects);
  /// Objects named after their kind: "model", "optimizer", "generator", variables after themselves.
  template <class... T>
  requires(sizeof...(T) > 0 && (std::convertible_to<const T&, Trackable> &&
                                ...)) explicit Checkpoint(const T&... objects)
      : Checkpoint(with_roles(std::vector<Trackable>{Trackable(objects)...})) {}

  /// Counts the save and writes "PREFIX-1", "PREFIX-2" ..., then notes it in the file `checkpoint`
  /// beside it. Returns the path. Errors: those of the file system; the count is taken back then.
  std::string save(const std::string& prefix) const;
  /// Writes exactly PREFIX, without counting.
  void write(const std::string& prefix) const;
  /// Gives all matched variables the values of a checkpoint, one of TensorFlow's included; one that
  /// holds no objects but names (TensorFlow 1) is matched by the names of variables. Slots of an
  /// optimiser that has not run yet are created. Errors: `not_found`; `data_loss`, naming file and
  /// tensor; `invalid_argument` for a value of another shape or dtype. Nothing is changed then.
  [[nodiscard]] RestoreStatus restore(const std::string& path) const;
  /// As restore, for what `write` wrote: a count of saves that is missing is no matter.
  [[nodiscard]] RestoreStatus read(const std::string& path) const;
  /// The number of saves: int64.
  const Variable& save_counter() const;

 private:
  friend class CheckpointManager;
  class Impl;
  std::string save(const std::string& prefix, int max_to_keep) const;
  static Trackable::Group with_roles(const std::vector<Trackable>& objects);
  std::shared_ptr<Impl> impl_;
};

struct CheckpointManagerOptions {
  int max_to_keep = 5;  // older ones are deleted; 0: all are kept
  std::string checkpoint_name = "ckpt";
};

/// Keeps the latest checkpoints of a training in a directory. A handle.
class WEIR_API CheckpointManager {
 public:
  CheckpointManager(const Checkpoint& checkpoint,
                    const std::string& directory,
                    const CheckpointManagerOptions& options = {});
  /// Saves "DIRECTORY/NAME-N", then deletes those there are too many of. Returns the path.
  std::string save() const;
  /// Empty if there is none.
  std::string latest_checkpoint() const;
  /// Oldest first.
  std::vector<std::string> checkpoints() const;

 private:
  Checkpoint checkpoint_;
  std::string directory_;
  CheckpointManagerOptions options_;
};

/// The newest complete checkpoint of a directory, by its file `checkpoint`; empty if there is none.
WEIR_API std::string latest_checkpoint(const std::string& directory);

/// The values of a checkpoint by name, whatever wrote it. A handle.
class WEIR_API CheckpointReader {
 public:
  class Impl;
  explicit CheckpointReader(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  /// Names, dtypes and shapes, sorted by name. DType::invalid: one that Weir does not have.
  std::vector<TensorSpec> tensors() const;
  bool contains(const std::string& name) const;
  /// Errors: `not_found`, `data_loss`, `unimplemented` (a dtype that Weir does not have).
  Tensor get(const std::string& name) const;

 private:
  std::shared_ptr<const Impl> impl_;
};
/// Opens a checkpoint. Files are used in place: cutting them off while a tensor is in use is fatal.
WEIR_API CheckpointReader load_checkpoint(const std::string& path);

}  // namespace weir::inline v0
