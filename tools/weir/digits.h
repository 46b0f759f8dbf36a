#pragma once

#include <weir/tensor.h>

namespace weir::cli {

/// The handwritten digits that Weir ships: images [n, 8, 8] in [0, 1], labels int64 [n].
struct Digits {
  Tensor train_x, train_y;  // 1,437 samples
  Tensor test_x, test_y;    // 360 samples
};
/// Split: a permutation with a fixed seed, the last fifth for testing. Errors: the file is missing
/// or not what it should be; names the line.
Digits load_digits();

}  // namespace weir::cli
