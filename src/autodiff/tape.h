#pragma once

/// The recorder behind GradientTape.

#include <atomic>
#include <thread>

#include "autodiff/log.h"

namespace weir::autodiff {

/// Gradients with respect to `sources`, in order; undefined where nothing connects.
struct Request {
  std::span<const Tensor* const> targets;
  std::span<const GradientSource* const> sources;
  std::span<const Tensor> output_gradients;  // empty: ones
};

class Tape final : public dispatch::Recorder {
 public:
  Tape() = default;
  ~Tape() override = default;

  /// A tape that records, from the spare ones of this thread.
  static Tape* start(TapeOptions options);
  /// The end of its life: it stops and becomes a spare one.
  static void finish(Tape* tape) noexcept;

  void record(const dispatch::Invocation& call, std::span<const Tensor> results) override;
  void record_read(const std::shared_ptr<VariableState>& variable, const Tensor& value) override;
  bool abandoned() const noexcept override { return left_.load(std::memory_order_acquire); }
  void orphan() noexcept override;
  void record_structural(std::span<const Tensor> inputs,
                         std::span<const Variable> variables,
                         std::span<const Tensor> results,
                         const std::shared_ptr<Backward>& backward,
                         std::source_location where);
  bool follows(std::span<const Tensor> inputs, std::span<const Variable> variables) const;

  void watch(const Tensor& t);
  void watch(const Variable& v);
  void pause();
  void resume();
  void reset();
  std::vector<Variable> watched_variables() const;
  void gradients(const Request& request, std::span<Gradient> results);
  /// As many backward passes as there are `output_gradients`, each with one of them for `target`.
  std::vector<Tensor> gradients_of_each(const Tensor& target,
                                        const GradientSource& source,
                                        std::span<const Tensor> output_gradients);
  std::string explain(const Tensor& target, const GradientSource& source) const;

 private:
  friend class Pass;
  struct Watched {
    std::shared_ptr<VariableState> variable;
    std::int32_t last_read = -1;
    bool explicitly = false;  // by watch(), not by being read
  };

  void check_thread(const char* action) const;
  void begin_use(const Request& request);
  void stop() noexcept;
  void clear();
  bool reads_count(const VariableState& v) const;
  Watched& watched(const std::shared_ptr<VariableState>& v);
  const Watched* find_watched(const Variable& v) const;
  std::string explain_source(const GradientSource& source) const;
  /// The slots of a source: that of a tensor, or those of the reads of a variable.
  template <class Visit>
  void each_slot(const GradientSource& source, Visit visit) const {
    if (source.variable().defined()) {
      const Watched* w = find_watched(source.variable());
      for (std::int32_t s = w ? w->last_read : -1; s >= 0;
           s = log_.slots()[std::size_t(s)].previous_read)
        visit(s);
    } else if (const std::int32_t s = log_.find(source.tensor()); s >= 0) {
      visit(s);
    }
  }

  Log log_;
  std::vector<Watched> variables_;
  IdMap variable_index_;  // by address of the state, kept alive above
  std::thread::id thread_;
  TapeOptions options_;
  int pauses_ = 0;
  bool recording_ = false;
  bool used_ = false;
  bool paused_once_ = false;
  /// One of its two parties has left: the owner, or the thread in whose list it stands. The second
  /// destroys it.
  std::atomic<bool> left_ = false;
};

}  // namespace weir::autodiff
