#include "io/npy/npy.h"

#include <gtest/gtest.h>
#include <weir/npy.h>

#include <complex>

#include "platform/test_directory.h"

namespace weir::io {
namespace {

// A version 1 file with this dictionary and these elements.
std::string npy(const std::string& dictionary, const std::string& elements) {
  std::string file("\x93NUMPY\1\0", 8);
  file.push_back(static_cast<char>(dictionary.size() & 0xff));
  file.push_back(static_cast<char>(dictionary.size() >> 8));
  return file + dictionary + elements;
}

std::string dictionary(const std::string& descr,
                       const std::string& shape,
                       const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

Error error_of(const std::string& file) {
  try {
    parse_npy(file, "x.npy");
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error({});
}

void expect_round_trip(const Tensor& tensor) {
  const Tensor back = parse_npy(format_npy(tensor), "x.npy");
  EXPECT_EQ(back.describe(), tensor.describe());
  ASSERT_EQ(back.nbytes(), tensor.nbytes());
  const std::string_view a(static_cast<const char*>(tensor.raw_data()), tensor.nbytes());
  const std::string_view b(static_cast<const char*>(back.raw_data()), back.nbytes());
  EXPECT_EQ(a, b) << tensor.describe();
}

// The bytes that numpy.save writes for numpy.array([[1, 2]], "<f4").
TEST(Npy, Format_IsNumPysOwn) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
  const std::string file = format_npy(Tensor{{1.0F, 2.0F}});
  ASSERT_EQ(file.size(), 128U + 8U);
  EXPECT_EQ(file.substr(0, 10), std::string("\x93NUMPY\1\0\x76\0", 10));
  EXPECT_EQ(file.substr(10, header.size()), header);
  EXPECT_EQ(file.substr(10 + header.size(), 117 - header.size()),
            std::string(117 - header.size(), ' '));
  EXPECT_EQ(file.substr(127), std::string("\n\0\0\x80\x3f\0\0\0\x40", 9));
}

TEST(Npy, EveryDtype_RoundTrips) {
  expect_round_trip(Tensor{{1.5F, -2.0F}, {3.0F, 4.0F}});
  expect_round_trip(Tensor{1.5, -2.0});
  expect_round_trip(Tensor{std::int8_t{-1}, std::int8_t{2}});
  expect_round_trip(Tensor{std::int16_t{-1}});
  expect_round_trip(Tensor{-1, 2, 3});
  expect_round_trip(Tensor{std::int64_t{1} << 40});
  expect_round_trip(Tensor{std::uint8_t{255}});
  expect_round_trip(Tensor{std::uint16_t{65535}});
  expect_round_trip(Tensor{std::uint32_t{4000000000}});
  expect_round_trip(Tensor{std::uint64_t{1} << 63});
  expect_round_trip(Tensor{true, false});
  expect_round_trip(Tensor{float16{0x3c00}, float16{0x7e00}});
  expect_round_trip(Tensor{bfloat16{0x3f80}});
  expect_round_trip(Tensor{std::complex<float>(1, -2)});
  expect_round_trip(Tensor{std::complex<double>(1, -2)});
}

TEST(Npy, ScalarsAndEmptyShapes_RoundTrip) {
  expect_round_trip(Tensor(2.5F));
  expect_round_trip(Tensor::zeros({0, 3}));
  expect_round_trip(Tensor::zeros({2, 0, 4}, DType::int64));
}

TEST(Npy, Strings_RoundTrip) {
  const Tensor tensor = Tensor::strings({"a", "", "longer \xc3\xa9"}, {3});
  const Tensor back = parse_npy(format_npy(tensor), "x.npy");
  EXPECT_EQ(back.describe(), tensor.describe());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(std::string_view(back.data<StringView>()[i]),
              std::string_view(tensor.data<StringView>()[i]));
  }
  EXPECT_EQ(parse_npy(format_npy(Tensor::strings({}, {0})), "x.npy").size(), 0);
  EXPECT_THROW(format_npy(Tensor::strings({std::string_view("a\0", 2)}, {})), Error);
}

TEST(Npy, Utf32_IsReadAsUtf8) {
  const std::string cells("\x41\0\0\0\xe9\0\0\0\0\xf6\x01\0", 12);  // "Aé" and U+1F600
  const Tensor t = parse_npy(npy(dictionary("<U3", "()"), cells), "x.npy");
  EXPECT_EQ(std::string_view(t.data<StringView>()[0]), "A\xc3\xa9\xf0\x9f\x98\x80");
  const std::string big("\0\0\0\x41", 4);
  const Tensor u = parse_npy(npy(dictionary(">U1", "()"), big), "x.npy");
  EXPECT_EQ(std::string_view(u.data<StringView>()[0]), "A");
  const std::string surrogate("\0\xd8\0\0", 4);
  EXPECT_EQ(error_of(npy(dictionary("<U1", "()"), surrogate)).code(), Code::data_loss);
}

TEST(Npy, FortranOrder_IsConverted) {
  const std::string columns("\1\4\2\5\3\6", 6);
  const Tensor t = parse_npy(npy(dictionary("|u1", "(2, 3)", "True"), columns), "x.npy");
  const auto values = t.data<std::uint8_t>();
  EXPECT_EQ(std::vector<int>(values.begin(), values.end()), (std::vector<int>{1, 2, 3, 4, 5, 6}));
}

TEST(Npy, BigEndian_IsConverted) {
  const Tensor t =
      parse_npy(npy(dictionary(">i4", "(2,)"), std::string("\0\0\1\2\xff\xff\xff\xff", 8)), "x");
  EXPECT_EQ(t.data<std::int32_t>()[0], 258);
  EXPECT_EQ(t.data<std::int32_t>()[1], -1);
  const std::string one_minus_two("\x3f\x80\0\0\xc0\0\0\0", 8);
  const Tensor c = parse_npy(npy(dictionary(">c8", "()"), one_minus_two), "x");
  EXPECT_EQ(c.data<std::complex<float>>()[0], std::complex<float>(1, -2));
}

TEST(Npy, Booleans_AreZeroOrOne) {
  const Tensor t = parse_npy(npy(dictionary("|b1", "(3,)"), std::string("\0\1\7", 3)), "x");
  EXPECT_EQ(static_cast<const char*>(t.raw_data())[2], 1);
}

TEST(Npy, Versions2And3_AreRead) {
  for (const char version : {'\2', '\3'}) {
    const std::string header = dictionary("|u1", "(1L,)");
    std::string file("\x93NUMPY", 6);
    file += version;
    file.push_back('\0');
    file.push_back(static_cast<char>(header.size()));
    file += std::string(3, '\0') + header + "\x2a";
    EXPECT_EQ(parse_npy(file, "x").data<std::uint8_t>()[0], 42);
  }
}

TEST(Npy, LyingHeaders_AreErrors) {
  const std::string four(4, 'x');
  const struct {
    std::string file;
    Code code;
    const char* words;
  } cases[] = {
      {"", Code::data_loss, "not a .npy file"},
      {"PK\3\4 a zip file", Code::data_loss, "not a .npy file"},
      {std::string("\x93NUMPY\1", 7), Code::data_loss, "cut off"},
      {std::string("\x93NUMPY\4\0\0\0", 10), Code::unimplemented, "version 4"},
      {std::string("\x93NUMPY\1\0\xff\x7f{", 11), Code::data_loss, "cut off"},
      {std::string("\x93NUMPY\2\0\0\0\0\x10{", 13), Code::data_loss, "64 KiB"},
      {npy(dictionary("<f4", "(2,)"), four), Code::data_loss, "says 8 bytes"},
      {npy(dictionary("<f4", "()"), four + four), Code::data_loss, "it has 8"},
      {npy(dictionary("<f4", "(-1,)"), four), Code::data_loss, "negative"},
      {npy(dictionary("<f4", "(4294967296, 4294967296)"), four), Code::data_loss, "2^63"},
      {npy(dictionary("<f8", "(0, 4611686018427387904)"), ""), Code::data_loss, "2^63"},
      {npy(dictionary("<f4", "(99999999999999999999,)"), four), Code::data_loss, "2^63"},
      {npy(dictionary("|O", "()"), four), Code::unimplemented, "'|O'"},
      {npy(dictionary("<f16", "()"), std::string(16, 'x')), Code::unimplemented, "16 bytes"},
      {npy(dictionary("<M8[ns]", "()"), four + four), Code::unimplemented, "M8[ns]"},
      {npy(dictionary("|S0", "(4611686018427387904,)"), ""), Code::data_loss, "0 bytes"},
      {npy("{'descr': [('a', '<f4')], }", four), Code::unimplemented, "structured"},
      {npy("{'descr': '<f4', 'shape': ()}", four), Code::data_loss, "missing"},
      {npy("{'descr': '<f4', 'descr': '<f4'}", four), Code::data_loss, "unexpected key"},
      {npy("{'evil': '<f4'}", four), Code::data_loss, "unexpected key"},
      {npy("__import__('os')", four), Code::data_loss, "expected '{'"},
      {npy("{'descr': '<f4\x1b[31m", four), Code::data_loss, "does not end"},
  };
  for (const auto& c : cases) {
    const Error error = error_of(c.file);
    EXPECT_EQ(error.code(), c.code) << error.what();
    EXPECT_NE(std::string(error.what()).find(c.words), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("x.npy"), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\x1b'), std::string::npos);
  }
}

TEST(Npy, ManyDimensions_AreRefused) {
  std::string shape = "(";
  for (int i = 0; i < 65; ++i)
    shape += "1, ";
  EXPECT_EQ(error_of(npy(dictionary("|u1", shape + ")"), "x")).code(), Code::data_loss);
}

TEST(Npy, Files_AreWrittenAndRead) {
  const platform::TestDirectory dir;
  save_npy(dir / "x.npy", Tensor{1.0F, 2.0F});
  EXPECT_EQ(load_npy(dir / "x.npy").describe(), "float32[2]");
  try {
    load_npy(dir / "none.npy");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::not_found);
  }
}

}  // namespace
}  // namespace weir::io
