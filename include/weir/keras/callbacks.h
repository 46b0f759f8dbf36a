/// Callbacks: what happens besides training, at its start, after batches and epochs, and at its
/// end.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace weir::inline v0::keras {

class Model;

/// "loss", "accuracy", "val_loss" ... and their values.
using Logs = std::map<std::string, double>;

class CallbackBase {
 public:
  virtual ~CallbackBase() = default;
  virtual void on_train_begin() {}
  virtual void on_epoch_begin(int epoch) { (void)epoch; }
  /// `batch` counts from 0 over all epochs.
  virtual void on_train_batch_end(std::int64_t batch, const Logs& logs) { (void)batch, (void)logs; }
  virtual void on_epoch_end(int epoch, const Logs& logs) { (void)epoch, (void)logs; }
  virtual void on_train_end() {}

  Model* model = nullptr;      // set by fit for its time
  bool stop_training = false;  // fit ends after the epoch in which a callback sets it
};
using Callback = std::shared_ptr<CallbackBase>;

/// What fit returns: the values of each epoch.
struct History {
  std::map<std::string, std::vector<double>> history;
  int epochs = 0;
  const std::vector<double>& operator[](const std::string& name) const { return history.at(name); }
};

namespace callbacks {

struct TensorBoardOptions {
  int histogram_freq = 1;  // epochs between histograms of the weights; 0: none
  bool write_graph = true;
  bool update_batch = true;  // curves per batch beside those per epoch
};
/// Curves in LOG_DIR/train and LOG_DIR/validation, histograms of weights, the graph of the model.
Callback TensorBoard(const std::string& log_dir, const TensorBoardOptions& options = {});

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";
  double min_delta = 0;
  int patience = 0;           // epochs without improvement after which training ends; 0 is as 1
  std::string mode = "auto";  // "min", "max"; auto: max for names that end in "accuracy"
  bool restore_best_weights = false;
};
Callback EarlyStopping(const EarlyStoppingOptions& options = {});

struct ModelCheckpointOptions {
  std::string monitor = "val_loss";
  bool save_best_only = false;
  std::string mode = "auto";
};
/// Saves the weights after epochs; "{epoch}" in the path becomes the epoch's number, from 1.
Callback ModelCheckpoint(const std::string& path, const ModelCheckpointOptions& options = {});

}  // namespace callbacks
}  // namespace weir::inline v0::keras
