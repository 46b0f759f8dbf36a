// LibTorch, PyTorch's C++ interface: the commands of worker.py for the cases that its users would
// write in C++.
//
//     libtorch_worker THREADS DATA.pt        DATA.pt: a dictionary of tensors, by torch.save
#include <torch/script.h>
#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>

namespace {

using torch::Tensor;
using Call = std::function<Tensor()>;
using Modes = std::map<std::string, Call>;

std::map<std::string, Tensor> load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::map<std::string, Tensor> data;
  for (const auto& entry : torch::pickle_load(bytes).toGenericDict())
    data[entry.key().toStringRef()] = entry.value().toTensor();
  return data;
}

class Worker {
 public:
  explicit Worker(const std::string& path) : data_(load(path)) {}

  std::string prepare(const std::string& name) {
    cases_[name] = make(name);
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
      results.push_back(cases_.at(name).at(mode)().detach().clone());
    write_npy(path, torch::stack(results).contiguous());
    return "done";
  }

  std::string time(const std::string& name, const std::string& mode, double seconds) {
    const Call& call = cases_.at(name).at(mode);
    int& calls = calls_[name + " " + mode];
    if (calls == 0) calls = calls_that_fill(call, seconds);
    return std::to_string(calls) + " " + std::to_string(repeat(call, calls));
  }

 private:
  static double repeat(const Call& call, int count) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i)
      call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  static int calls_that_fill(const Call& call, double seconds) {
    repeat(call, 3);
    int calls = 1;
    double taken = repeat(call, calls);
    for (; taken < seconds / 4; taken = repeat(call, calls))
      calls *= 2;
    return std::max(1, int(std::lround(calls * seconds / taken)));
  }

  /// float32 only.
  static void write_npy(const std::string& path, const Tensor& t) {
    std::string shape;
    for (const std::int64_t n : t.sizes())
      shape += std::to_string(n) + ",";
    std::string head = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
    head.resize((head.size() + 11 + 63) / 64 * 64 - 10, ' ');
    head.back() = '\n';
    std::ofstream file(path, std::ios::binary);
    const auto size = std::uint16_t(head.size());
    file << std::string("\x93NUMPY\x01\x00", 8);
    file.write(reinterpret_cast<const char*>(&size), 2);
    file << head;
    file.write(static_cast<const char*>(t.data_ptr()), std::streamsize(t.nbytes()));
  }

  Modes make(const std::string& name) const {
    if (name == "add") return {{"eager", [a = data("four")] { return a + a; }}};
    if (name == "add_grad")
      return {{"eager", [a = data("four").requires_grad_()] {
                 return torch::autograd::grad({a + a}, {a}, {torch::ones(4)})[0];
               }}};
    const auto slash = name.find('/');
    const std::string kind = name.substr(0, slash), batch = name.substr(slash + 1);
    if (kind == "mlp")
      return {{"eager", [model = perceptron(true), x = images(batch)]() mutable {
                 const torch::InferenceMode mode;
                 return model->forward(x);
               }}};
    if (kind == "mlp_train") return {{"eager", training(perceptron(false), batch)}};
    return {};
  }

  const Tensor& data(const std::string& name) const { return data_.at(name); }
  const Tensor& images(const std::string& batch) const { return data("images_" + batch); }

  torch::nn::Sequential perceptron(bool softmax) const {
    torch::nn::Sequential model(torch::nn::Flatten{});
    for (auto w = data_.lower_bound("mlp_"); w != data_.end() && w->first.starts_with("mlp_");) {
      const Tensor kernel = (w++)->second, bias = (w++)->second;
      torch::nn::Linear layer(kernel.size(0), kernel.size(1));
      const torch::NoGradGuard guard;
      layer->weight.copy_(kernel.t());
      layer->bias.copy_(bias);
      model->push_back(layer);
      if (kernel.size(1) != 10) model->push_back(torch::nn::ReLU());
    }
    if (softmax) model->push_back(torch::nn::Softmax(-1));
    return model;
  }

  Call training(torch::nn::Sequential model, const std::string& batch) const {
    auto sgd = std::make_shared<torch::optim::SGD>(model->parameters(), 0.01);
    const Tensor x = images(batch), labels = data("labels_" + batch).to(torch::kLong);
    return [=]() mutable {
      sgd->zero_grad();
      const Tensor loss = torch::nn::functional::cross_entropy(model->forward(x), labels);
      loss.backward();
      sgd->step();
      return loss;
    };
  }

  std::map<std::string, Tensor> data_;
  std::map<std::string, Modes> cases_;
  std::map<std::string, int> calls_;
};

std::string answer(Worker& worker, const std::string& line) {
  std::istringstream words(line);
  std::string verb, name, mode, path;
  words >> verb >> name >> mode;
  if (verb == "quit") return {};
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

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  torch::set_num_threads(std::atoi(argv[1]));
  Worker worker(argv[2]);
  for (std::string line; std::getline(std::cin, line);) {
    std::string text;
    try {
      text = answer(worker, line);
    } catch (const std::exception& e) {
      text = std::string("error ") + e.what();
      text = text.substr(0, text.find('\n'));
    }
    if (text.empty()) return 0;
    std::cout << text << std::endl;
  }
}
