#include <weir/autocast.h>
#include <weir/graph_def.h>
#include <weir/keras/callbacks.h>
#include <weir/keras/model.h>
#include <weir/summary.h>

#include <cmath>
#include <limits>
#include <optional>

#include "keras/error.h"

namespace weir::inline v0::keras::callbacks {
namespace {

/// Is a value better than the best so far? "auto" goes by the name.
class Monitor {
 public:
  Monitor(std::string name, const std::string& mode, double min_delta)
      : name_(std::move(name)), delta_(std::abs(min_delta)) {
    if (mode != "auto" && mode != "min" && mode != "max")
      throw_argument("callback: mode", "'" + mode + "'", "auto, min or max");
    higher_ = mode == "max" ||
              (mode == "auto" && (name_.ends_with("accuracy") || name_.ends_with("acc")));
    reset();
  }
  void reset() {
    best_ = higher_ ? -std::numeric_limits<double>::infinity()
                    : std::numeric_limits<double>::infinity();
  }

  bool improved(const Logs& logs) {
    const auto it = logs.find(name_);
    if (it == logs.end()) {
      std::string known;
      for (const auto& [name, value] : logs)
        known += (known.empty() ? "" : ", ") + name;
      throw_argument("callback: no value named '" + name_ + "' to monitor",
                     known,
                     name_,
                     "give fit validation data for values named val_...");
    }
    const bool better = higher_ ? it->second - delta_ > best_ : it->second + delta_ < best_;
    if (better) best_ = it->second;
    return better;
  }

 private:
  std::string name_;
  double delta_;
  bool higher_;
  double best_ = 0;
};

class TensorBoardCallback final : public CallbackBase {
 public:
  TensorBoardCallback(std::string dir, TensorBoardOptions options)
      : dir_(std::move(dir)), options_(options) {}

  void on_train_begin() override {
    train_.emplace(dir_ + "/train");
    // A subclassed model has no known input before it has run.
    if (options_.write_graph && !model->input_specs().empty())
      train_->graph(graph_def(model->concrete_function()));
  }
  void on_train_batch_end(std::int64_t batch, const Logs& logs) override {
    if (!options_.update_batch) return;
    for (const auto& [name, value] : logs)
      train_->scalar("batch_" + name, value, batch);
  }
  void on_epoch_end(int epoch, const Logs& logs) override {
    const AutocastScope as_they_are(DType::invalid);
    for (const auto& [name, value] : logs) {
      if (name.starts_with("val_")) {
        validation().scalar("epoch_" + name.substr(4), value, epoch);
      } else {
        train_->scalar("epoch_" + name, value, epoch);
      }
    }
    train_->scalar(
        "epoch_learning_rate", model->optimizer().learning_rate().value().item<double>(), epoch);
    if (options_.histogram_freq > 0 && epoch % options_.histogram_freq == 0) {
      for (const Variable& v : model->weights())
        train_->histogram(v.name(), v.value(), epoch);
    }
  }
  void on_train_end() override {
    train_->close();
    if (validation_) validation_->close();
  }

 private:
  SummaryWriter& validation() {
    if (!validation_) validation_.emplace(dir_ + "/validation");
    return *validation_;
  }

  std::string dir_;
  TensorBoardOptions options_;
  std::optional<SummaryWriter> train_, validation_;
};

class EarlyStoppingCallback final : public CallbackBase {
 public:
  explicit EarlyStoppingCallback(EarlyStoppingOptions o)
      : options_(std::move(o)), monitor_(options_.monitor, options_.mode, options_.min_delta) {}

  void on_train_begin() override {
    monitor_.reset();
    waited_ = 0;
    best_.clear();
  }
  void on_epoch_end(int, const Logs& logs) override {
    if (monitor_.improved(logs)) {
      waited_ = 0;
      if (options_.restore_best_weights) remember();
    } else if (++waited_ >= options_.patience) {
      stop_training = true;
    }
  }
  void on_train_end() override {
    for (auto& [variable, value] : best_)
      variable.assign(value);
  }

 private:
  void remember() {
    const AutocastScope as_they_are(DType::invalid);
    best_.clear();
    for (const Variable& v : model->weights())
      best_.emplace_back(v, v.value());
  }
  EarlyStoppingOptions options_;
  Monitor monitor_;
  int waited_ = 0;
  std::vector<std::pair<Variable, Tensor>> best_;
};

class ModelCheckpointCallback final : public CallbackBase {
 public:
  ModelCheckpointCallback(std::string path, ModelCheckpointOptions o)
      : path_(std::move(path)),
        options_(std::move(o)),
        monitor_(options_.monitor, options_.mode, 0) {}

  void on_train_begin() override { monitor_.reset(); }
  void on_epoch_end(int epoch, const Logs& logs) override {
    if (options_.save_best_only && !monitor_.improved(logs)) return;
    std::string path = path_;
    const std::string mark = "{epoch}";
    if (const auto at = path.find(mark); at != std::string::npos)
      path.replace(at, mark.size(), std::to_string(epoch + 1));
    model->save_weights(path);
  }

 private:
  std::string path_;
  ModelCheckpointOptions options_;
  Monitor monitor_;
};

}  // namespace

Callback TensorBoard(const std::string& log_dir, const TensorBoardOptions& options) {
  return std::make_shared<TensorBoardCallback>(log_dir, options);
}
Callback EarlyStopping(const EarlyStoppingOptions& options) {
  return std::make_shared<EarlyStoppingCallback>(options);
}
Callback ModelCheckpoint(const std::string& path, const ModelCheckpointOptions& options) {
  return std::make_shared<ModelCheckpointCallback>(path, options);
}

}  // namespace weir::inline v0::keras::callbacks
