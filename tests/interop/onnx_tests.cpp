// Runs tests in ONNX's own form: directories with model.onnx and
// test_data_set_0/{input,output}_N.pb.
//
//   interop_onnx_tests LIST     LIST: a file with "DIRECTORY RTOL ATOL" in each line
//
// Prints a line a test: "pass DIRECTORY", "unsupported DIRECTORY reason", "wrong DIRECTORY reason".

#include <weir/error.h>

#include <cmath>
#include <complex>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernels/scalar/convert.h"
#include "leaf/onnx/constant.h"
#include "leaf/onnx/load.h"

namespace {

using namespace weir;

struct Tolerance {
  double relative = 1e-3;
  double absolute = 1e-7;
};

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<onnx_io::Value> read_values(const std::filesystem::path& directory, const char* kind) {
  std::vector<onnx_io::Value> values;
  for (int i = 0;; ++i) {
    const auto path = directory / (std::string(kind) + "_" + std::to_string(i) + ".pb");
    if (!std::filesystem::exists(path)) return values;
    onnx_proto::TensorProto proto;
    if (!proto.ParseFromString(read(path))) {
      throw Error({Code::unimplemented, "a value that is no tensor", {}, {}, {}, {}});
    }
    values.push_back(onnx_io::value_from_proto(proto, {}, path.filename().string()));
  }
}

double number(double v) {
  return v;
}
double number(float16 v) {
  return weir_f32_from_f16(v.bits);
}
double number(bfloat16 v) {
  return weir_f32_from_bf16(v.bits);
}

bool close(double got, double wanted, const Tolerance& t) {
  if (std::isnan(wanted) || std::isnan(got)) return std::isnan(wanted) && std::isnan(got);
  if (std::isinf(wanted) || std::isinf(got)) return got == wanted;
  return std::abs(got - wanted) <= t.absolute + t.relative * std::abs(wanted);
}

template <class T>
std::string compare_as(const Tensor& got, const Tensor& wanted, const Tolerance& t) {
  const auto g = got.data<T>(), w = wanted.data<T>();
  for (std::size_t i = 0; i < w.size(); ++i) {
    bool same = false;
    std::string values;
    if constexpr (std::is_same_v<T, StringView>) {
      same = std::string_view(g[i]) == std::string_view(w[i]);
      values = "'" + std::string(g[i]) + "' for '" + std::string(w[i]) + "'";
    } else if constexpr (std::is_same_v<T, std::complex<float>> ||
                         std::is_same_v<T, std::complex<double>>) {
      same = close(g[i].real(), w[i].real(), t) && close(g[i].imag(), w[i].imag(), t);
    } else if constexpr (std::is_integral_v<T>) {
      same = g[i] == w[i];
      values = std::to_string(g[i]) + " for " + std::to_string(w[i]);
    } else {
      same = close(number(g[i]), number(w[i]), t);
      values = std::to_string(number(g[i])) + " for " + std::to_string(number(w[i]));
    }
    if (!same) return "element " + std::to_string(i) + ": " + values;
  }
  return {};
}

std::string compare(const Tensor& got, const Tensor& wanted, const Tolerance& t) {
  if (got.dtype() != wanted.dtype() || !(got.shape() == wanted.shape())) {
    return got.describe() + " for " + wanted.describe();
  }
  switch (wanted.dtype()) {
    case DType::float32:
      return compare_as<float>(got, wanted, t);
    case DType::float64:
      return compare_as<double>(got, wanted, t);
    case DType::float16:
      return compare_as<float16>(got, wanted, t);
    case DType::bfloat16:
      return compare_as<bfloat16>(got, wanted, t);
    case DType::int8:
      return compare_as<std::int8_t>(got, wanted, t);
    case DType::int16:
      return compare_as<std::int16_t>(got, wanted, t);
    case DType::int32:
      return compare_as<std::int32_t>(got, wanted, t);
    case DType::int64:
      return compare_as<std::int64_t>(got, wanted, t);
    case DType::uint8:
      return compare_as<std::uint8_t>(got, wanted, t);
    case DType::uint16:
      return compare_as<std::uint16_t>(got, wanted, t);
    case DType::uint32:
      return compare_as<std::uint32_t>(got, wanted, t);
    case DType::uint64:
      return compare_as<std::uint64_t>(got, wanted, t);
    case DType::boolean:
      return compare_as<bool>(got, wanted, t);
    case DType::string:
      return compare_as<StringView>(got, wanted, t);
    case DType::complex64:
      return compare_as<std::complex<float>>(got, wanted, t);
    case DType::complex128:
      return compare_as<std::complex<double>>(got, wanted, t);
    case DType::invalid:
      break;
  }
  return "no dtype";
}

/// Empty if all outputs are as they should be.
std::string run(const std::filesystem::path& directory, const Tolerance& t) {
  const onnx::Model model = onnx::load(directory / "model.onnx");
  const auto data = directory / "test_data_set_0";
  NamedTensors inputs;
  for (const onnx_io::Value& v : read_values(data, "input"))
    inputs.emplace_back(model.inputs().at(inputs.size()).name, v.tensor);
  const NamedTensors results = model.call(inputs);
  const auto wanted = read_values(data, "output");
  if (results.size() != wanted.size()) return std::to_string(results.size()) + " results";
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string difference = compare(results[i].second, wanted[i].tensor, t);
    if (!difference.empty()) return "output " + std::to_string(i) + ": " + difference;
  }
  return {};
}

void report(const std::string& directory, const Tolerance& t) {
  std::string verdict = "pass", reason;
  try {
    reason = run(directory, t);
    if (!reason.empty()) verdict = "wrong";
  } catch (const Error& e) {
    verdict = e.code() == Code::unimplemented ? "unsupported" : "wrong";
    reason = e.one_line();
  } catch (const std::exception& e) {
    verdict = "wrong";
    reason = e.what();
  }
  std::printf("%s %s %s\n", verdict.c_str(), directory.c_str(), reason.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: interop_onnx_tests LIST\n");
    return 2;
  }
  std::ifstream list(argv[1]);
  std::string directory;
  Tolerance t;
  while (list >> directory >> t.relative >> t.absolute)
    report(directory, t);
  return 0;
}
