// Reads bundles that TensorFlow wrote (tests/golden/make_checkpoints.py).
#include "io/bundle/bundle.h"

#include <gtest/gtest.h>
#include <weir/error.h>

#include <complex>

#include "io/bundle/layout.h"
#include "io/bundle/table.h"
#include "io/file/file.h"
#include "platform/file.h"
#include "platform/test_directory.h"

namespace weir::io::bundle {
namespace {

std::string data(const std::string& name) {
  return std::string(WEIR_TESTDATA) + "/" + name;
}

template <class T>
void expect_range(const Reader& reader, const std::string& name) {
  const Tensor t = reader.read(name);
  ASSERT_EQ(t.dtype(), dtype_of<T>) << name;
  ASSERT_EQ(t.shape(), (Shape{2, 3})) << name;
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(reader.read(name, {{i / 3, i % 3}, {1, 1}}).item<float>(), float(i)) << name;
}

template <class T>
void expect_complex(const Reader& reader, const std::string& name) {
  const Tensor t = reader.read(name);
  ASSERT_EQ(t.shape(), (Shape{2, 3}));
  EXPECT_EQ(t.data<std::complex<T>>()[5], (std::complex<T>{5, 0}));
}

Code code_of(const auto& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.code();
  }
  return Code::ok;
}

TEST(Bundle, ReadsEveryDtypeOfTensorFlow) {
  const Reader reader(data("dtypes"));
  expect_range<float>(reader, "float32");
  expect_range<double>(reader, "float64");
  expect_range<float16>(reader, "float16");
  expect_range<bfloat16>(reader, "bfloat16");
  expect_range<std::int8_t>(reader, "int8");
  expect_range<std::int16_t>(reader, "int16");
  expect_range<std::int32_t>(reader, "int32");
  expect_range<std::int64_t>(reader, "int64");
  expect_range<std::uint8_t>(reader, "uint8");
  expect_range<std::uint16_t>(reader, "uint16");
  expect_range<std::uint32_t>(reader, "uint32");
  expect_range<std::uint64_t>(reader, "uint64");
  expect_complex<float>(reader, "complex64");
  expect_complex<double>(reader, "complex128");
  EXPECT_EQ(reader.read("bool").to_string(), Tensor({true, false, true}).to_string());
  EXPECT_EQ(reader.read("scalar").item<float>(), 2.5f);
  EXPECT_EQ(reader.read("empty").shape(), (Shape{0, 3}));
}

TEST(Bundle, ItsIndexHasTheBytesOfTensorFlows) {
  for (const char* name : {"dtypes.index", "parts.index", "names.index"}) {
    const std::string file = read_file(data(name));
    EXPECT_EQ(format_table(parse_table(file, name)), file) << name;
  }
}

TEST(Bundle, ReadsStrings) {
  const Reader reader(data("dtypes"));
  const Tensor t = reader.read("strings");
  ASSERT_EQ(t.shape(), Shape{4});
  const auto texts = t.data<StringView>();
  EXPECT_EQ(std::string_view(texts[0]), "one");
  EXPECT_EQ(std::string_view(texts[1]), "");
  EXPECT_EQ(std::string_view(texts[2]), std::string_view("\xff\0three", 7));
  EXPECT_EQ(std::string_view(texts[3]), std::string(300, 'x'));
  const Tensor text = reader.read("text");
  EXPECT_EQ(std::string_view(text.data<StringView>()[0]), "alone");
}

TEST(Bundle, ListsItsTensors) {
  const Reader reader(data("names"));
  ASSERT_EQ(reader.tensors().size(), 2U);
  EXPECT_EQ(reader.tensors()[0].name, "dense/bias");
  EXPECT_EQ(reader.find("dense/kernel")->shape, (Shape{2, 3}));
  EXPECT_EQ(reader.find("dense"), nullptr);
  EXPECT_EQ(reader.read("dense/bias").to_string(), (Tensor{7.f, 8.f, 9.f}).to_string());
}

TEST(Bundle, SaysWhatItCannotRead) {
  const Reader reader(data("dtypes"));
  EXPECT_EQ(reader.find("quantised")->dtype, DType::invalid);
  EXPECT_EQ(code_of([&] { reader.read("quantised"); }), Code::unimplemented);
  EXPECT_EQ(code_of([&] { reader.read("nothing"); }), Code::not_found);
  EXPECT_EQ(code_of([&] { reader.read(""); }), Code::not_found);
  EXPECT_EQ(code_of([] { Reader("/tmp/no such checkpoint"); }), Code::not_found);
}

TEST(Bundle, PutsPartsTogether) {
  const Reader reader(data("parts"));
  ASSERT_EQ(reader.tensors().size(), 1U);
  const Tensor t = reader.read("w");
  ASSERT_EQ(t.shape(), (Shape{4, 3}));
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(t.data<float>()[static_cast<std::size_t>(i)], float(i));
}

TEST(Bundle, ReadsAPart) {
  const Reader parts(data("parts"));
  const Tensor t = parts.read("w", {{1, 0}, {2, 2}});
  EXPECT_EQ(t.to_string(), (Tensor{{3.f, 4.f}, {6.f, 7.f}}).to_string());
  EXPECT_EQ(code_of([&] { parts.read("w", {{1, 0}, {4, 2}}); }), Code::out_of_range);
  EXPECT_EQ(code_of([&] { parts.read("w", {{1}, {2}}); }), Code::out_of_range);
  const Reader names(data("names"));
  EXPECT_EQ(names.read("dense/bias", {{1}, {2}}).to_string(), (Tensor{8.f, 9.f}).to_string());
}

TEST(Bundle, NamesTheFileAndTensorOfDamage) {
  const std::string index = read_file(data("dtypes.index"));
  const std::string bytes = read_file(data("dtypes.data-00000-of-00001"));
  int unnoticed = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    const Reader reader("ck", index, {changed});
    int found = 0;
    for (const TensorInfo& info : reader.tensors()) {
      try {
        reader.read(info.name);
      } catch (const Error& e) {
        if (e.code() == Code::unimplemented) continue;
        ++found;
        EXPECT_EQ(e.code(), Code::data_loss);
        EXPECT_NE(std::string(e.what()).find("'" + info.name + "'"), std::string::npos) << e.what();
        EXPECT_NE(std::string(e.what()).find("ck"), std::string::npos) << e.what();
      }
    }
    EXPECT_LE(found, 1);
    unnoticed += found == 0;
  }
  EXPECT_EQ(unnoticed, 2);  // bytes of 'quantised', which is not read
}

TEST(Bundle, RefusesShardsThatAreCutOff) {
  const std::string index = read_file(data("names.index"));
  const std::string bytes = read_file(data("names.data-00000-of-00001"));
  const Reader reader("ck", index, {bytes.substr(0, bytes.size() - 1)});
  EXPECT_EQ(code_of([&] {
              reader.read("dense/bias");
              reader.read("dense/kernel");
            }),
            Code::data_loss);
}

std::string table_with(const proto::BundleEntryProto& entry,
                       const std::string& header = "\x08\x01") {
  return format_table({{"", header}, {"w", entry.SerializeAsString()}});
}

proto::BundleEntryProto entry_of(std::vector<std::int64_t> dims, std::int64_t size) {
  proto::BundleEntryProto entry;
  entry.set_dtype(proto::DT_FLOAT);
  for (const std::int64_t dim : dims)
    entry.mutable_shape()->add_dim()->set_size(dim);
  entry.set_size(size);
  return entry;
}

Code read_code(const proto::BundleEntryProto& entry) {
  return code_of([&] { Reader("ck", table_with(entry), {"12345678"}).read("w"); });
}

TEST(Bundle, RefusesHostileEntries) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 40;
  EXPECT_EQ(read_code(entry_of({2}, 8)), Code::data_loss);  // checksum
  EXPECT_EQ(read_code(entry_of({kHuge, kHuge}, 8)), Code::data_loss);
  EXPECT_EQ(read_code(entry_of({kHuge}, kHuge * 4)), Code::data_loss);
  EXPECT_EQ(read_code(entry_of({-1}, 8)), Code::data_loss);
  EXPECT_EQ(read_code(entry_of({3}, 8)), Code::data_loss);
  EXPECT_EQ(read_code(entry_of(std::vector<std::int64_t>(300, 1), 4)), Code::data_loss);
  proto::BundleEntryProto entry = entry_of({2}, 8);
  entry.set_offset(INT64_MAX);
  EXPECT_EQ(read_code(entry), Code::data_loss);
  entry = entry_of({2}, 8);
  entry.set_shard_id(1);
  EXPECT_EQ(read_code(entry), Code::data_loss);
  entry = entry_of({kHuge}, 8);
  entry.set_dtype(proto::DT_STRING);
  EXPECT_EQ(read_code(entry), Code::data_loss);
}

TEST(Bundle, RefusesHostileParts) {
  const auto with_part = [](std::int64_t begin, std::int64_t length) {
    proto::BundleEntryProto entry = entry_of({std::int64_t{1} << 40}, 0);
    auto* extent = entry.add_slices()->add_extent();
    extent->set_start(begin);
    extent->set_length(length);
    const std::string key = part_key("w", entry.slices(0));
    return format_table({{"", "\x08\x01"},
                         {key, entry_of({length}, length * 4).SerializeAsString()},
                         {"w", entry.SerializeAsString()}});
  };
  for (const auto& [begin, length] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {0, 2}, {INT64_MAX, 2}, {-1, 2}, {0, std::int64_t{1} << 40}, {1, INT64_MAX / 32}}) {
    EXPECT_EQ(code_of([&] { Reader("ck", with_part(begin, length), {"12345678"}).read("w"); }),
              Code::data_loss);
  }
}

TEST(Bundle, RefusesHostileHeaders) {
  const proto::BundleEntryProto entry = entry_of({2}, 8);
  for (const std::string& header : {std::string("\x08\x00", 2),
                                    std::string(),
                                    std::string("\xff"),
                                    std::string("\x08\xff\xff\xff\x0f")}) {
    EXPECT_EQ(code_of([&] { Reader("ck", table_with(entry, header), {}); }), Code::data_loss);
  }
  EXPECT_EQ(code_of([&] { Reader("ck", table_with(entry, "\x08\x01\x1a\x02\x10\x02"), {}); }),
            Code::unimplemented);
}

}  // namespace
}  // namespace weir::io::bundle
