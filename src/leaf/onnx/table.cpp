#include "leaf/onnx/table.h"

#include <map>

namespace weir::onnx_io {
namespace {

using Key = std::pair<std::string_view, std::string_view>;

std::map<Key, const Converter*> make_table() {
  std::map<Key, const Converter*> table;
  for (const auto family : {attention_converters(),
                            cast_converters(),
                            control_converters(),
                            conv_converters(),
                            elementwise_converters(),
                            gather_converters(),
                            image_converters(),
                            loss_converters(),
                            matmul_converters(),
                            norm_converters(),
                            pool_converters(),
                            recurrent_converters(),
                            reduce_converters(),
                            resize_converters(),
                            sequence_converters(),
                            shape_converters(),
                            signal_converters(),
                            training_converters()}) {
    for (const Converter& c : family)
      table[{c.domain, c.op}] = &c;
  }
  return table;
}

const std::map<Key, const Converter*>& table() {
  static const auto converters = make_table();
  return converters;
}

}  // namespace

const Converter* find_converter(std::string_view domain, std::string_view op) {
  const auto found = table().find({domain == "ai.onnx" ? "" : domain, op});
  return found == table().end() ? nullptr : found->second;
}

std::vector<const Converter*> all_converters() {
  std::vector<const Converter*> all;
  for (const auto& [key, converter] : table())
    all.push_back(converter);
  return all;
}

}  // namespace weir::onnx_io
