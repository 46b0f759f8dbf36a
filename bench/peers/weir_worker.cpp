// Weir's side of the comparison: the commands of worker.py, and the calibration for all.
//
//     weir_worker THREADS DATA.npz
//     calibrate -> flops per second
#include <weir/nn.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>

#include "models.h"
#include "platform/calibration.h"
#include "platform/thread_pool.h"

namespace weir::bench {
namespace {

using Call = std::function<Tensor()>;
using Modes = std::map<std::string, Call>;

template <class F, class... Args>
Modes modes(F run, Args... args) {
  return {{"eager", [=] { return run(args...); }},
          {"graph", [g = function(run), args...] { return g(args...); }}};
}

Tensor tape_of_add(const Tensor& a) {
  GradientTape tape;
  tape.watch(a);
  return tape.gradient(a + a, a);
}

class Worker {
 public:
  explicit Worker(const NamedTensors& data) {
    for (const auto& [name, tensor] : data)
      data_.emplace(name, tensor);
  }

  std::string prepare(const std::string& name) {
    const std::vector<std::string> words = split_name(name);
    cases_[name] = make(words[0], std::vector(words.begin() + 1, words.end()));
    std::string answer = "modes";
    for (const auto& [mode, call] : cases_[name])
      answer += " " + mode;
    return answer;
  }

  std::string output(const std::string& name,
                     const std::string& mode,
                     const std::string& path,
                     int count) {
    std::vector<Tensor> results;
    for (int i = 0; i < count; ++i)
      results.push_back(cases_.at(name).at(mode)());
    save_npy(path, stack(results));
    return "done";
  }

  std::string time(const std::string& name, const std::string& mode, double seconds) {
    const Call& call = cases_.at(name).at(mode);
    int& calls = calls_[name + " " + mode];
    if (calls == 0) calls = calls_that_fill(call, seconds);
    return std::to_string(calls) + " " + std::to_string(timeit(call, calls));
  }

 private:
  static std::vector<std::string> split_name(const std::string& name) {
    std::vector<std::string> words;
    std::istringstream stream(name);
    for (std::string w; std::getline(stream, w, '/');)
      words.push_back(w);
    return words;
  }

  static int calls_that_fill(const Call& call, double seconds) {
    timeit(call, 3);
    int calls = 1;
    double taken = timeit(call, calls);
    for (; taken < seconds / 4; taken = timeit(call, calls))
      calls *= 2;
    return std::max(1, int(std::lround(calls * seconds / taken)));
  }

  const Tensor& data(const std::string& name) const { return data_.at(name); }

  Modes make(const std::string& kind, const std::vector<std::string>& words) const {
    if (kind == "mlp") return modes(with_weights(mlp(), "mlp"), data("images_" + words[0]));
    if (kind == "cnn") return modes(with_weights(cnn(), "cnn"), image(words[0]));
    if (kind == "mlp_train") return training(mlp, "mlp", data("images_" + words[0]), words[0]);
    if (kind == "cnn_train") return training(cnn, "cnn", image(words[0]), words[0]);
    if (kind == "add") return modes([](const Tensor& a) { return a + a; }, data("four"));
    if (kind == "add_grad") return {{"eager", [a = data("four")] { return tape_of_add(a); }}};
    if (kind == "function") return function_modes(words[0], data("matrix_" + words[1]));
    return {};
  }

  Tensor image(const std::string& batch) const { return expand_dims(data("images_" + batch), -1); }

  keras::Model with_weights(keras::Model model, const std::string& name) const {
    auto next = data_.lower_bound(name + "_");
    for (const Variable& v : model.weights())
      v.assign((next++)->second);
    return model;
  }

  Modes training(keras::Model (*make)(bool),
                 const std::string& name,
                 const Tensor& x,
                 const std::string& batch) const {
    const Tensor labels = data("labels_" + batch);
    const TrainingStep eager(with_weights(make(true), name));
    const auto graph = function(TrainingStep(with_weights(make(true), name)));
    return {{"eager", [=] { return eager(x, labels); }},
            {"graph", [=] { return graph(x, labels); }}};
  }

  static Modes function_modes(const std::string& name, const Tensor& x) {
    const std::int64_t n = x.dim(0);
    std::vector<std::int32_t> indices;
    for (std::int64_t i = 0; i < n; ++i)
      indices.push_back(std::int32_t(i * 7 % n));
    const Tensor rows = Tensor::from(indices, {n}), ones = Tensor::ones({n}),
                 zeros = Tensor::zeros({n});
    if (name == "tanh_gelu") return modes(tanh_gelu, x);
    if (name == "softmax") return modes([](const Tensor& t) { return softmax(t); }, x);
    if (name == "layer_norm")
      return modes([=](const Tensor& t) { return layer_normalization(t, ones, zeros); }, x);
    if (name == "logsumexp") return modes([](const Tensor& t) { return logsumexp(t, -1); }, x);
    if (name == "argmax") return modes([](const Tensor& t) { return argmax(t, -1); }, x);
    if (name == "cumsum") return modes([](const Tensor& t) { return cumsum(t, -1); }, x);
    if (name == "transpose") return modes([](const Tensor& t) { return transpose(t, {1, 0}); }, x);
    if (name == "concat") return modes([](const Tensor& t) { return concat({t, t}, 1); }, x);
    if (name == "gather") return modes([=](const Tensor& t) { return gather(t, rows, 0); }, x);
    if (name == "sum") return modes([](const Tensor& t) { return sum(t); }, x);
    if (name == "matmul") return modes([](const Tensor& t) { return matmul(t, t); }, x);
    return {};
  }

  std::map<std::string, Tensor> data_;
  std::map<std::string, Modes> cases_;
  std::map<std::string, int> calls_;
};

/// The answer to one line; empty to stop.
std::string answer(Worker& worker, const std::string& line, int threads) {
  std::istringstream words(line);
  std::string verb, name, mode, path;
  words >> verb >> name >> mode;
  if (verb == "quit") return {};
  if (verb == "calibrate") return std::to_string(platform::fma_peak(threads));
  if (verb == "prepare") return worker.prepare(name);
  if (verb == "time") {
    double seconds = 0;
    words >> seconds;
    return worker.time(name, mode, seconds);
  }
  int count = 1;
  words >> path >> count;
  return worker.output(name, mode, path, count);
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  if (argc != 3) return 2;
  const int threads = std::atoi(argv[1]);
  weir::platform::set_threads(threads);
  Worker worker(weir::load_npz(argv[2]));
  for (std::string line; std::getline(std::cin, line);) {
    std::string text;
    try {
      text = answer(worker, line, threads);
    } catch (const std::exception& e) {
      text = std::string("error ") + e.what();
      text = text.substr(0, text.find('\n'));
    }
    if (text.empty()) return 0;
    std::cout << text << std::endl;
  }
}
