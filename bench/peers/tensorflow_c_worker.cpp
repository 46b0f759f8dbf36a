// TensorFlow's C interface, as C++ programs use it: the commands of worker.py. Graphs are frozen.
//
//     tensorflow_c_worker THREADS FOLDER
//
// FOLDER holds, for each case with '/' as '_', CASE.pb (GraphDef), CASE.txt (names of its input and
// output, then the input's dimensions) and CASE.raw (the input's elements, float32).
#include <tensorflow/c/c_api.h>
#include <tensorflow/c/eager/c_api.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace {

using Array = std::shared_ptr<TF_Tensor>;
using Call = std::function<Array()>;

struct CheckedStatus {
  TF_Status* status = TF_NewStatus();
  ~CheckedStatus() { TF_DeleteStatus(status); }
  void check() const {
    if (TF_GetCode(status) != TF_OK) throw std::runtime_error(TF_Message(status));
  }
};

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("no " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Array own(TF_Tensor* t) {
  return {t, TF_DeleteTensor};
}

Array tensor(const std::vector<std::int64_t>& dims, const std::string& bytes) {
  TF_Tensor* t = TF_AllocateTensor(TF_FLOAT, dims.data(), int(dims.size()), bytes.size());
  std::memcpy(TF_TensorData(t), bytes.data(), bytes.size());
  return own(t);
}

/// ConfigProto: intra_op_parallelism_threads (field 2) and inter_op_parallelism_threads (5).
TF_SessionOptions* session_options(int threads) {
  const unsigned char config[] = {2 << 3, (unsigned char)threads, 5 << 3, 1};
  TF_SessionOptions* options = TF_NewSessionOptions();
  CheckedStatus s;
  TF_SetConfig(options, config, sizeof config, s.status);
  s.check();
  return options;
}

/// Graphs and sessions live as long as the process.
Call session(const std::string& stem, int threads) {
  const std::string bytes = read(stem + ".pb");
  TF_Graph* graph = TF_NewGraph();
  TF_ImportGraphDefOptions* options = TF_NewImportGraphDefOptions();
  TF_Buffer* buffer = TF_NewBufferFromString(bytes.data(), bytes.size());
  CheckedStatus s;
  TF_GraphImportGraphDef(graph, buffer, options, s.status);
  s.check();
  TF_Session* session = TF_NewSession(graph, session_options(threads), s.status);
  s.check();
  std::istringstream words(read(stem + ".txt"));
  std::string in, out;
  words >> in >> out;
  std::vector<std::int64_t> dims;
  for (std::int64_t d; words >> d;)
    dims.push_back(d);
  const TF_Output input{TF_GraphOperationByName(graph, in.c_str()), 0};
  const TF_Output output{TF_GraphOperationByName(graph, out.c_str()), 0};
  return [=, x = tensor(dims, read(stem + ".raw"))] {
    CheckedStatus status;
    TF_Tensor* values[] = {x.get()};
    TF_Tensor* result = nullptr;
    TF_SessionRun(session,
                  nullptr,
                  &input,
                  values,
                  1,
                  &output,
                  &result,
                  1,
                  nullptr,
                  0,
                  nullptr,
                  status.status);
    status.check();
    return own(result);
  };
}

/// One eager op; the result is fetched only where it is asked for.
Call eager_add(const std::string& stem) {
  CheckedStatus s;
  TFE_Context* context = TFE_NewContext(TFE_NewContextOptions(), s.status);
  s.check();
  TFE_TensorHandle* a = TFE_NewTensorHandle(tensor({4}, read(stem + ".raw")).get(), s.status);
  s.check();
  return [=] {
    CheckedStatus status;
    TFE_Op* op = TFE_NewOp(context, "AddV2", status.status);
    TFE_OpAddInput(op, a, status.status);
    TFE_OpAddInput(op, a, status.status);
    TFE_TensorHandle* result = nullptr;
    int count = 1;
    TFE_Execute(op, &result, &count, status.status);
    status.check();
    TFE_DeleteOp(op);
    Array value = own(TFE_TensorHandleResolve(result, status.status));
    TFE_DeleteTensorHandle(result);
    return value;
  };
}

double repeat(const Call& call, int count) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i)
    call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int calls_that_fill(const Call& call, double seconds) {
  repeat(call, 3);
  int calls = 1;
  double taken = repeat(call, calls);
  for (; taken < seconds / 4; taken = repeat(call, calls))
    calls *= 2;
  return std::max(1, int(std::lround(calls * seconds / taken)));
}

/// float32 only; one result, as a stack of one.
void write_npy(const std::string& path, const TF_Tensor* t) {
  std::string shape = "1,";
  for (int i = 0; i < TF_NumDims(t); ++i)
    shape += std::to_string(TF_Dim(t, i)) + ",";
  std::string head = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
  head.resize((head.size() + 11 + 63) / 64 * 64 - 10, ' ');
  head.back() = '\n';
  const auto size = std::uint16_t(head.size());
  std::ofstream file(path, std::ios::binary);
  file << std::string("\x93NUMPY\x01\x00", 8);
  file.write(reinterpret_cast<const char*>(&size), 2);
  file << head;
  file.write(static_cast<const char*>(TF_TensorData(t)), std::streamsize(TF_TensorByteSize(t)));
}

class Worker {
 public:
  Worker(int threads, std::string folder) : threads_(threads), folder_(std::move(folder)) {}

  std::string answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb, name, mode, path;
    words >> verb >> name >> mode;
    if (verb == "quit") return {};
    if (verb == "prepare") return prepare(name);
    const Call& call = cases_.at(name);
    if (verb == "time") {
      double seconds = 0;
      words >> seconds;
      int& calls = calls_[name];
      if (calls == 0) calls = calls_that_fill(call, seconds);
      return std::to_string(calls) + " " + std::to_string(repeat(call, calls));
    }
    words >> path;
    write_npy(path, call().get());
    return "done";
  }

 private:
  std::string prepare(const std::string& name) {
    std::string stem = folder_ + "/" + name;
    std::replace(stem.begin() + std::ptrdiff_t(folder_.size()) + 1, stem.end(), '/', '_');
    const bool eager = name == "add";
    if (!std::ifstream(stem + ".raw")) return "modes";
    cases_[name] = eager ? eager_add(stem) : session(stem, threads_);
    return eager ? "modes eager" : "modes graph";
  }

  int threads_;
  std::string folder_;
  std::map<std::string, Call> cases_;
  std::map<std::string, int> calls_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Worker worker(std::atoi(argv[1]), argv[2]);
  for (std::string line; std::getline(std::cin, line);) {
    std::string text;
    try {
      text = worker.answer(line);
    } catch (const std::exception& e) {
      text = std::string("error ") + e.what();
      text = text.substr(0, text.find('\n'));
    }
    if (text.empty()) return 0;
    std::cout << text << std::endl;
  }
}
