#include "io/graph_def/tensor_proto.h"

#include <gtest/gtest.h>

#include <complex>

namespace weir::io {
namespace {

Tensor read(const proto::TensorProto& p) {
  return tensor_from_proto(p, "test");
}

void expect_round_trip(const Tensor& tensor) {
  proto::TensorProto p;
  to_proto(tensor, &p);
  const Tensor back = read(p);
  ASSERT_EQ(back.describe(), tensor.describe());
  EXPECT_EQ(std::string_view(static_cast<const char*>(back.raw_data()), back.nbytes()),
            std::string_view(static_cast<const char*>(tensor.raw_data()), tensor.nbytes()));
}

proto::TensorProto typed(proto::DataType dtype, std::initializer_list<std::int64_t> dims) {
  proto::TensorProto p;
  p.set_dtype(dtype);
  p.mutable_tensor_shape();
  for (const std::int64_t dim : dims)
    p.mutable_tensor_shape()->add_dim()->set_size(dim);
  return p;
}

Code code_of(const proto::TensorProto& p) {
  try {
    read(p);
  } catch (const Error& error) {
    return error.code();
  }
  return Code::ok;
}

TEST(TensorProto, EveryDtype_RoundTrips) {
  expect_round_trip(Tensor{{1.5F, 2.0F}, {3.0F, 4.0F}});
  expect_round_trip(Tensor(1.5));
  expect_round_trip(Tensor{std::int8_t{-1}});
  expect_round_trip(Tensor{std::uint16_t{65535}});
  expect_round_trip(Tensor{std::int64_t{1} << 40});
  expect_round_trip(Tensor{true, false});
  expect_round_trip(Tensor{bfloat16{0x3f80}});
  expect_round_trip(Tensor{std::complex<double>(1, 2)});
  expect_round_trip(Tensor::zeros({0, 3}));
}

TEST(TensorProto, Strings_RoundTrip) {
  proto::TensorProto p;
  to_proto(Tensor::strings({"a", std::string_view("\0b", 2)}, {2}), &p);
  EXPECT_EQ(std::string_view(read(p).data<StringView>()[1]), std::string_view("\0b", 2));
}

TEST(TensorProto, TypedFields_RepeatTheLastValue) {
  proto::TensorProto p = typed(proto::DT_FLOAT, {2, 2});
  EXPECT_EQ(read(p).data<float>()[3], 0.0F);
  p.add_float_val(1);
  p.add_float_val(2);
  EXPECT_EQ(read(p).data<float>()[0], 1.0F);
  EXPECT_EQ(read(p).data<float>()[3], 2.0F);
  proto::TensorProto half = typed(proto::DT_HALF, {2});
  half.add_half_val(0x3c00);
  EXPECT_EQ(read(half).data<float16>()[1].bits, 0x3c00);
  proto::TensorProto narrow = typed(proto::DT_INT8, {});
  narrow.add_int_val(-3);
  EXPECT_EQ(read(narrow).data<std::int8_t>()[0], -3);
  proto::TensorProto complex = typed(proto::DT_COMPLEX64, {2});
  complex.add_scomplex_val(1);
  complex.add_scomplex_val(2);
  EXPECT_EQ(read(complex).data<std::complex<float>>()[1], std::complex<float>(1, 2));
  proto::TensorProto text = typed(proto::DT_STRING, {2});
  text.add_string_val("same");
  EXPECT_EQ(std::string_view(read(text).data<StringView>()[1]), "same");
}

TEST(TensorProto, StringContent_IsLengthsThenBytes) {
  proto::TensorProto p = typed(proto::DT_STRING, {2});
  p.set_tensor_content(std::string("\2\1abc", 5));
  EXPECT_EQ(std::string_view(read(p).data<StringView>()[0]), "ab");
  EXPECT_EQ(std::string_view(read(p).data<StringView>()[1]), "c");
  for (const char* bad : {"\2\1ab", "\2\1abcd", "\xff\xff", "\2"}) {
    p.set_tensor_content(bad);
    EXPECT_EQ(code_of(p), Code::data_loss);
  }
}

TEST(TensorProto, Lies_AreErrors) {
  proto::TensorProto p = typed(proto::DT_FLOAT, {2});
  p.set_tensor_content("1234");
  EXPECT_EQ(code_of(p), Code::data_loss);
  EXPECT_EQ(code_of(typed(proto::DT_FLOAT, {-1})), Code::data_loss);
  EXPECT_EQ(code_of(typed(proto::DT_FLOAT, {-7})), Code::data_loss);
  EXPECT_EQ(code_of(typed(proto::DT_FLOAT, {1LL << 32, 1LL << 32})), Code::data_loss);
  EXPECT_EQ(code_of(typed(proto::DT_FLOAT, {0, 1LL << 62})), Code::data_loss);
  EXPECT_EQ(code_of(typed(proto::DT_FLOAT, {1LL << 40})), Code::resource_exhausted);
  EXPECT_EQ(code_of(typed(proto::DT_STRING, {1LL << 40})), Code::resource_exhausted);
  EXPECT_EQ(code_of(typed(proto::DT_INVALID, {})), Code::unimplemented);
  EXPECT_EQ(code_of(typed(proto::DT_RESOURCE, {})), Code::unimplemented);
  EXPECT_EQ(code_of(typed(static_cast<proto::DataType>(257), {})), Code::unimplemented);
  proto::TensorProto unknown = typed(proto::DT_FLOAT, {});
  unknown.mutable_tensor_shape()->set_unknown_rank(true);
  EXPECT_EQ(code_of(unknown), Code::data_loss);
}

TEST(TensorProto, BooleanBytes_AreZeroOrOne) {
  proto::TensorProto p = typed(proto::DT_BOOL, {2});
  p.set_tensor_content(std::string("\0\7", 2));
  EXPECT_EQ(static_cast<const char*>(read(p).raw_data())[1], 1);
}

TEST(ShapeProto, Shapes_RoundTrip) {
  for (const Shape& shape : {Shape{}, Shape{2, -1}, Shape{0}, Shape::unknown_rank()}) {
    proto::TensorShapeProto p;
    to_proto(shape, &p);
    EXPECT_EQ(shape_from_proto(p, "test").to_string(), shape.to_string());
  }
}

}  // namespace
}  // namespace weir::io
