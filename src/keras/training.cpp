/// compile, fit, evaluate, predict.
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/keras/model.h>
#include <weir/ops/array.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>

#include "keras/error.h"
#include "keras/model_impl.h"
#include "keras/progress.h"

namespace weir::inline v0::keras {
namespace {

/// The metrics of a data set from those of its batches.
class MeanLogs {
 public:
  explicit MeanLogs(const Model::Impl& m) : names_{"loss"}, sums_(1 + m.metrics.size(), 0) {
    for (const Metric& metric : m.metrics)
      names_.push_back(metric.name());
  }
  void add(const std::vector<Tensor>& batch, std::int64_t samples) {
    for (std::size_t i = 0; i < sums_.size(); ++i)
      sums_[i] += batch[i].item<double>() * double(samples);
    samples_ += samples;
  }
  Logs logs(const std::string& prefix = "") const {
    Logs out;
    for (std::size_t i = 0; i < sums_.size(); ++i)
      out[prefix + names_[i]] = sums_[i] / double(std::max<std::int64_t>(samples_, 1));
    return out;
  }
  Logs of_batch(const std::vector<Tensor>& batch) const {
    Logs out;
    for (std::size_t i = 0; i < sums_.size(); ++i)
      out[names_[i]] = batch[i].item<double>();
    return out;
  }

 private:
  std::vector<std::string> names_;
  std::vector<double> sums_;
  std::int64_t samples_ = 0;
};

Tensor rows(const Tensor& t, std::int64_t begin, std::int64_t end) {
  return t.slice(begin, end);
}

/// Rows in the order that `order` says, one batch at a time.
Tensor take(const Tensor& t, std::span<const std::int64_t> order) {
  return gather(t, Tensor::from(order, Shape{Dim(std::int64_t(order.size()))}));
}

void check_data(const Tensor& x, const Tensor& y, std::int64_t batch_size, const char* what) {
  const std::string where = std::string(what) + ": ";
  if (!x.defined() || !y.defined()) throw_argument(where + "an undefined tensor", "", "x and y");
  if (x.rank() < 1 || y.rank() < 1 || x.dim(0) != y.dim(0))
    throw_argument(where + "x and y have different numbers of samples",
                   x.describe() + " and " + y.describe(),
                   "the same first dimension");
  if (x.dim(0) == 0)
    throw_argument(where + "an empty data set", x.describe(), "at least one sample");
  if (batch_size < 1) throw_argument(where + "batch_size", std::to_string(batch_size), "1 or more");
}

void check_compiled(const Model::Impl& m, const char* what) {
  if (m.loss.defined()) return;
  throw Error({Code::failed_precondition,
               std::string(what) + ": the model is not compiled",
               {},
               "no loss",
               "a loss",
               "call model.compile(optimizer, loss, metrics) first"});
}

/// Loss and metrics as they are computed on one batch.
std::vector<Tensor> values(const Model::Impl& m,
                           const Tensor& y,
                           const Tensor& y_pred,
                           const Tensor& loss) {
  std::vector<Tensor> out{loss};
  for (const Metric& metric : m.metrics)
    out.push_back(metric(y, y_pred));
  return out;
}

/// The last, smaller batch has a trace of its own: exact shapes make the better plan.
FunctionOptions step_options(const std::string& name) {
  FunctionOptions options;
  options.name = name;
  return options;
}

template <class F>
auto step_function(const Model::Impl& m, const std::string& name, F f)
    -> std::function<std::invoke_result_t<F, Tensor, Tensor>(const Tensor&, const Tensor&)> {
  if (m.run_eagerly) return f;
  return function(std::move(f), step_options(name));
}

struct Split {
  Tensor x, y;
  std::optional<std::pair<Tensor, Tensor>> validation;
};

Split split(const Tensor& x, const Tensor& y, const FitOptions& o) {
  if (o.validation_split == 0) return {x, y, o.validation_data};
  if (!(o.validation_split > 0 && o.validation_split < 1))
    throw_argument(
        "fit: validation_split", std::to_string(o.validation_split), "a number in [0, 1)");
  const auto n = std::int64_t(double(x.dim(0)) * (1 - o.validation_split));
  if (n < 1)
    throw_argument(
        "fit: validation_split leaves no sample for training", x.describe(), "a smaller fraction");
  return {rows(x, 0, n), rows(y, 0, n), std::pair(rows(x, n, x.dim(0)), rows(y, n, y.dim(0)))};
}

/// One call of fit: order of samples, callbacks, progress.
class Fit {
 public:
  Fit(const Model& model, Model::Impl& impl, Split data, const FitOptions& options)
      : model_(model),
        impl_(impl),
        data_(std::move(data)),
        options_(options),
        random_(options.seed) {
    order_.resize(std::size_t(data_.x.dim(0)));
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
  }

  History run() {
    Attached attached(*this);
    for (auto& c : options_.callbacks)
      c->on_train_begin();
    for (int epoch = 0; epoch < options_.epochs && !stopped(); ++epoch)
      run_epoch(epoch);
    for (auto& c : options_.callbacks)
      c->on_train_end();
    return history_;
  }

 private:
  /// Callbacks see the model only while fit runs, also if it throws.
  struct Attached {
    explicit Attached(Fit& f) : fit(f) {
      for (auto& c : fit.options_.callbacks)
        c->model = &fit.model_, c->stop_training = false;
    }
    ~Attached() {
      for (auto& c : fit.options_.callbacks)
        c->model = nullptr;
    }
    Fit& fit;
  };

  bool stopped() const {
    return std::any_of(options_.callbacks.begin(), options_.callbacks.end(), [](const Callback& c) {
      return c->stop_training;
    });
  }

  void run_epoch(int epoch) {
    for (auto& c : options_.callbacks)
      c->on_epoch_begin(epoch);
    if (options_.shuffle) std::shuffle(order_.begin(), order_.end(), random_);
    const std::int64_t n = data_.x.dim(0), size = options_.batch_size;
    Progress progress(epoch, options_.epochs, (n + size - 1) / size, options_.verbose);
    MeanLogs mean(impl_);
    for (std::int64_t begin = 0; begin < n; begin += size) {
      const std::int64_t end = std::min(n, begin + size);
      const std::span<const std::int64_t> batch(order_.data() + begin, std::size_t(end - begin));
      const std::vector<Tensor> v = impl_.train_step(take(data_.x, batch), take(data_.y, batch));
      mean.add(v, end - begin);
      const Logs logs = mean.of_batch(v);
      for (auto& c : options_.callbacks)
        c->on_train_batch_end(batches_, logs);
      ++batches_;
      progress.step(mean.logs());
    }
    end_epoch(epoch, mean.logs(), progress);
  }

  void end_epoch(int epoch, Logs logs, Progress& progress) {
    if (data_.validation) {
      for (const auto& [name, value] : model_.evaluate(
               data_.validation->first, data_.validation->second, {options_.batch_size, 0}))
        logs["val_" + name] = value;
    }
    progress.end(logs);
    for (const auto& [name, value] : logs)
      history_.history[name].push_back(value);
    history_.epochs = epoch + 1;
    for (auto& c : options_.callbacks)
      c->on_epoch_end(epoch, logs);
  }

  Model model_;
  Model::Impl& impl_;
  Split data_;
  FitOptions options_;
  std::mt19937_64 random_;
  std::vector<std::int64_t> order_;
  std::int64_t batches_ = 0;
  History history_;
};

}  // namespace

void Model::compile(const Optimizer& optimizer,
                    const Loss& loss,
                    const std::vector<Metric>& metrics,
                    const CompileOptions& options) const {
  if (!optimizer.defined() || !loss.defined())
    throw_argument("compile: an undefined optimizer or loss", "", "both");
  impl_->optimizer = optimizer;
  impl_->loss = loss;
  impl_->metrics = metrics;
  impl_->run_eagerly = options.run_eagerly;
  Impl* m = impl_.get();  // the steps live in the model's state: no cycle
  const Layer layer = *this;
  impl_->train_step =
      step_function(*m, name() + "_train_step", [m, layer](const Tensor& x, const Tensor& y) {
        GradientTape tape;
        const Tensor y_pred = layer(x, true);
        const Tensor loss_value = m->loss(y, y_pred);
        const std::vector<Variable> variables = layer.trainable_weights();
        const std::vector<Tensor> gradients = tape.gradient(loss_value, variables);
        std::vector<std::pair<Tensor, Variable>> pairs;
        for (std::size_t i = 0; i < variables.size(); ++i)
          pairs.emplace_back(gradients[i], variables[i]);
        m->optimizer.apply_gradients(pairs);
        return values(*m, y, y_pred, loss_value);
      });
  impl_->test_step =
      step_function(*m, name() + "_test_step", [m, layer](const Tensor& x, const Tensor& y) {
        const Tensor y_pred = layer(x, false);
        return values(*m, y, y_pred, m->loss(y, y_pred));
      });
}

/// A subclassed model makes its weights at its first call, which must not happen inside a trace of
/// a step.
void build_weights(const Layer& layer, const Tensor& x, const Optimizer* optimizer) {
  if (layer.weights().empty()) (void)layer(x.slice(0, 1), false);
  if (optimizer) optimizer->build(layer.trainable_weights());
}

History Model::fit(const Tensor& x, const Tensor& y, const FitOptions& options) const {
  check_compiled(*impl_, "fit");
  check_data(x, y, options.batch_size, "fit");
  Split data = split(x, y, options);
  if (data.validation)
    check_data(data.validation->first,
               data.validation->second,
               options.batch_size,
               "fit: validation data");
  build_weights(*this, data.x, &impl_->optimizer);
  return Fit(*this, *impl_, std::move(data), options).run();
}

Logs Model::evaluate(const Tensor& x, const Tensor& y, const EvaluateOptions& options) const {
  check_compiled(*impl_, "evaluate");
  check_data(x, y, options.batch_size, "evaluate");
  build_weights(*this, x, nullptr);
  MeanLogs mean(*impl_);
  Progress progress(
      0, 1, (x.dim(0) + options.batch_size - 1) / options.batch_size, options.verbose);
  for (std::int64_t begin = 0; begin < x.dim(0); begin += options.batch_size) {
    const std::int64_t end = std::min(x.dim(0), begin + options.batch_size);
    mean.add(impl_->test_step(rows(x, begin, end), rows(y, begin, end)), end - begin);
    progress.step(mean.logs());
  }
  progress.end(mean.logs());
  return mean.logs();
}

Tensor Model::predict(const Tensor& x, std::int64_t batch_size) const {
  if (!x.defined() || x.rank() < 1 || x.dim(0) < 1 || batch_size < 1)
    throw_argument("predict: x must have samples, batch_size must be 1 or more",
                   x.describe() + ", batch_size " + std::to_string(batch_size),
                   "at least one sample");
  build_weights(*this, x, nullptr);
  if (!impl_->predict_step) {
    const Layer layer = *this;
    impl_->predict_step = function([layer](const Tensor& t) { return layer(t, false); },
                                   step_options(name() + "_predict"));
  }
  std::vector<Tensor> parts;
  for (std::int64_t begin = 0; begin < x.dim(0); begin += batch_size)
    parts.push_back(impl_->predict_step(rows(x, begin, std::min(x.dim(0), begin + batch_size))));
  return parts.size() == 1 ? parts[0] : concat(parts, 0);
}

std::vector<double> Model::train_on_batch(const Tensor& x, const Tensor& y) const {
  check_compiled(*impl_, "train_on_batch");
  check_data(x, y, 1, "train_on_batch");
  build_weights(*this, x, &impl_->optimizer);
  std::vector<double> out;
  for (const Tensor& t : impl_->train_step(x, y))
    out.push_back(t.item<double>());
  return out;
}

}  // namespace weir::inline v0::keras
