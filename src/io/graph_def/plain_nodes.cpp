/// Nodes that have no op because they hold a value, pass one on, or only look.
#include "io/file/file.h"
#include "io/graph_def/attr_reader.h"
#include "io/graph_def/node_reader.h"

namespace weir::io {
namespace {

Values constant(const NodeCall& call) {
  return {constant_value(call.def)};
}

Values placeholder(const NodeCall&) {
  fail(Code::data_loss, "it is no input of the signature, and has no value");
}

// What is passed on may be a variable, a list or a constant.
Values pass_on(const NodeCall& call) {
  call.value(0);
  return call.inputs;
}

Values pass_first(const NodeCall& call) {
  return {call.value(0)};
}

Values nothing(const NodeCall&) {
  return {};
}

constexpr ConverterEntry kConverters[] = {
    {"Const", constant},
    {"Placeholder", placeholder},
    {"PlaceholderWithDefault", pass_first},
    {"Identity", pass_first},
    {"IdentityN", pass_on},
    {"DisableCopyOnRead", nothing},
    {"NoOp", nothing},
    {"Assert", nothing},
    {"CheckNumerics", pass_first},
};

}  // namespace

std::span<const ConverterEntry> plain_converters() {
  return kConverters;
}

}  // namespace weir::io
