#pragma once

/// Text of tensors, as NumPy 2.4 prints arrays (array_str with its default options: precision 8, 75
/// columns, summarised beyond 1,000 elements with 3 at each edge). Differences: none known;
/// bfloat16, which NumPy lacks, prints like float16.

#include <weir/tensor.h>

namespace weir::tensor {

/// The elements of a concrete tensor.
std::string format(const Tensor& t);

/// Python's repr of bytes: b'a\x00b'.
std::string bytes_repr(std::string_view bytes);

}  // namespace weir::tensor
