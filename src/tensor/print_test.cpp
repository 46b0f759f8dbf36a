#include "tensor/print.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tensor/convert.h"
#include "tensor/tensor_impl.h"

namespace weir {
namespace {

struct Case {
  std::string dtype, dims, data, text;
};

std::vector<Case> golden_cases() {
  std::ifstream file(WEIR_GOLDEN "/numpy_text.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    Case c;
    std::string word;
    std::istringstream(line) >> word >> c.dtype >> c.dims >> c.data;
    for (std::string text; std::getline(file, text) && text != "%%";)
      c.text += (c.text.empty() ? "" : "\n") + text;
    cases.push_back(c);
  }
  return cases;
}

Shape parse_dims(const std::string& text) {
  Shape shape;
  if (text == "-") return shape;
  std::istringstream stream(text);
  for (std::string n; std::getline(stream, n, 'x');)
    shape.push_back(Dim(std::stoll(n)));
  return shape;
}

DType dtype_named(const std::string& text) {
  for (int i = 1; i < 32; ++i) {
    if (is_valid(DType(i)) && name(DType(i)) == text) return DType(i);
  }
  return DType::invalid;
}

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  if (hex == "-") return bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += char(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

Tensor strings_of(const Case& c) {
  std::vector<std::string> owned;
  std::istringstream stream(c.data);
  for (std::string hex; std::getline(stream, hex, ',');)
    owned.push_back(bytes_of(hex));
  return Tensor::strings({owned.begin(), owned.end()}, parse_dims(c.dims));
}

Tensor tensor_of(const Case& c) {
  const DType dtype = dtype_named(c.dtype);
  if (dtype == DType::string) return strings_of(c);
  Tensor t = Tensor::zeros(parse_dims(c.dims), dtype);
  auto* data = static_cast<char*>(t.impl()->data());
  if (!c.data.starts_with("range:")) {
    const std::string bytes = bytes_of(c.data);
    std::copy(bytes.begin(), bytes.end(), data);
    return t;
  }
  const std::size_t second = c.data.find(':', 6);
  const double start = std::stod(c.data.substr(6, second - 6)),
               step = std::stod(c.data.substr(second + 1));
  for (std::int64_t i = 0; i < t.size(); ++i)
    tensor::store(data + i * byte_size(dtype), dtype, {false, 0, start + double(i) * step, 0});
  return t;
}

TEST(Print, EqualsNumPy) {
  const std::vector<Case> cases = golden_cases();
  ASSERT_GT(cases.size(), 150u);
  for (const Case& c : cases)
    EXPECT_EQ(tensor_of(c).to_string(), c.text) << c.dtype << " " << c.dims << " " << c.data;
}

TEST(Print, BFloat16HasItsShortestDigits) {
  Tensor t = Tensor::zeros({3}, DType::bfloat16);
  const double values[] = {0.1, 1, -2.5};
  for (int i = 0; i < 3; ++i)
    tensor::store(
        static_cast<char*>(t.impl()->data()) + 2 * i, DType::bfloat16, {false, 0, values[i], 0});
  EXPECT_EQ(t.to_string(), "[ 0.1  1.  -2.5]");
}

TEST(Print, StreamsAndUndefined) {
  std::ostringstream os;
  os << Tensor{{1, 2}, {3, 4}} << "|" << Tensor();
  EXPECT_EQ(os.str(), "[[1 2]\n [3 4]]|<undefined>");
}

TEST(Print, ManyDimensions) {
  const Tensor t = Tensor::zeros(Shape(std::vector<std::int64_t>(254, 1)), DType::int32);
  EXPECT_EQ(t.to_string(), std::string(254, '[') + "0" + std::string(254, ']'));
}

}  // namespace
}  // namespace weir
