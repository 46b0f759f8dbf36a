/// NumPy's files.
///
///     Tensor x = weir::load_npy("x.npy");
///     weir::save_npy("y.npy", y);
///     for (auto& [name, tensor] : weir::load_npz("weights.npz")) ...
///
/// All dtypes of Weir round-trip. bfloat16, which NumPy does not have, is stored as two opaque
/// bytes
/// ("<V2"), as the package ml_dtypes does. Strings are stored as "S" (bytes, padded with zeros), so
/// one that ends in a zero byte is refused; "U" (UTF-32) is read as UTF-8. Big-endian files and
/// Fortran order are converted on reading.
#pragma once

#include <weir/export.h>
#include <weir/named_tensors.h>

#include <string>

namespace weir::inline v0 {

/// Reads a .npy file of version 1, 2 or 3. Errors: not_found and the like for the file itself;
/// data_loss for one that is cut off or not .npy; unimplemented for pickled objects, structured
/// types and long doubles.
WEIR_API Tensor load_npy(const std::string& path);

/// Writes a .npy file; it appears under its name when it is complete.
WEIR_API void save_npy(const std::string& path, const Tensor& tensor);

/// Reads a .npz archive, stored or deflated, in its own order. Names are without ".npy".
WEIR_API NamedTensors load_npz(const std::string& path);

/// Writes a .npz archive, stored. Errors: a name twice, or one that is empty.
WEIR_API void save_npz(const std::string& path, const NamedTensors& tensors);

}  // namespace weir::inline v0
