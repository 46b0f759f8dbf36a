#pragma once

#include <string_view>

namespace weir::io {

/// A reference to an output: "node", "node:1"; in a function "argument", "node:output:1".
struct Reference {
  std::string_view node;
  std::string_view arg;  ///< name of the output, in a function
  int number = 0;        ///< of the output, or within `arg`
  bool control = false;  ///< "^node": runs before, gives nothing
};

/// Reads a node's input. Only in a function does one name an output by more than its number.
/// Throws weir::Error (data_loss).
Reference parse_reference(std::string_view text, bool in_function);

}  // namespace weir::io
