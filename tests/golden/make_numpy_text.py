#!/usr/bin/env python3
"""Writes numpy_text.txt: arrays and the text that NumPy 2.4 prints for them.

Usage: make_numpy_text.py > numpy_text.txt

A case is a line "case DTYPE DIMS DATA", then the text, then a line "%%". DIMS is "2x3", or "-" for a
scalar. DATA is the elements as hexadecimal bytes, "range:START:STEP" (element i is START + i * STEP in
float64, converted), or, for strings, hexadecimal bytes joined by commas.
"""

import numpy as np


def dims(a):
    return "x".join(map(str, a.shape)) or "-"


def emit(a, data=None):
    a = np.asarray(a)
    name = "string" if a.dtype == object else a.dtype.name
    if data is None:
        data = ",".join(e.hex() or "-" for e in a.flat) if a.dtype == object else a.tobytes().hex() or "-"
    print(f"case {name} {dims(a)} {data}\n{np.array_str(a)}\n%%")


def emit_range(dtype, shape, start, step):
    n = int(np.prod(shape))
    a = (start + np.arange(n, dtype=np.float64) * step).astype(dtype).reshape(shape)
    emit(a, f"range:{start}:{step}")


SCALARS = [0.0, -0.0, 1.0, -1.5, 0.1, 1e-4, 1e-5, 123456.789, 1e15, 1e16, 1.5e22, 1e-30, np.nan, np.inf, -np.inf,
           1 / 3, 65504.0, 6e-8,
           999.5, 1000.0, 999999.0, 1e6, 16777216.0]
VECTORS = [
    [1, 2, 3], [1.5, 2.25, -3], [0.1, 0.2, 0.3], [1 / 3, 2 / 3], [1e-5, 1], [1e10, 1], [1, 1001], [1, 999], [1, 1000], [999999, 1e6], [1000, 2000, 3000],
    [0.0001, 0.05], [0.00009, 0.05], [1e8, 2e8], [99999999, 1], [np.nan, 1], [np.inf, -1], [-np.inf, 1.5], [np.nan],
    [np.inf, np.nan, -np.inf], [0, 0], [-0.0, 1], [1e300, 1], [1e-300, 1e300], [123456.789, 0.5], [1e-10, np.nan, -2],
    [1.23456789012345, 100], [3.14159265358979] * 12, [-1.0], [2.5e-7, 1.25e-5], [1e20, np.inf], [5e-324, 1e-320],
    [0.30000001192092896, 16777216],
]


def main():
    rng = np.random.default_rng(7)
    for dtype in ("float16", "float32", "float64"):
        with np.errstate(over="ignore"):
            for v in SCALARS:
                emit(np.array(v, dtype))
            for v in VECTORS:
                emit(np.array(v, dtype))
            for scale in (1, 100, 1e-3):
                emit((rng.standard_normal((3, 4)) * scale).astype(dtype))
    for dtype in ("complex64", "complex128"):
        for v in (0, 1, 2j, 1 + 2j, -1 - 2.5j, complex(0, np.nan), complex(np.inf, -1), 1e-5 + 1e20j, complex(-0.0, 2)):
            emit(np.array(v, dtype))
        emit(np.array([1 + 2j, -1.5 - 0.25j], dtype))
        emit(np.array([1e10 + 2j, complex(np.nan, -np.inf)], dtype))
        emit((rng.standard_normal((2, 3)) + 1j * rng.standard_normal((2, 3))).astype(dtype))
    for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
        info = np.iinfo(dtype)
        emit(np.array(info.min, dtype))
        emit(np.array([info.min, 0, 7, info.max], dtype))
    emit(np.array(True))
    emit(np.array([True, True]))
    emit(np.array([[True, False], [False, True]]))
    emit(np.array(b"plain", object))
    emit(np.array([b"a", b"it's", b'say "x"', b"\x00\xff\n\t\\", b'\'"', b""], object))
    emit(np.array([[b"abc", b"d"], [b"", b"e"]], object))
    for shape in ((0,), (2, 0), (0, 3)):
        emit(np.zeros(shape, np.float32))
    emit_range("int32", (30,), 0, 1)
    emit_range("int32", (2, 3, 4), 0, 1)
    emit_range("int32", (2, 1, 2, 2), -3, 1)
    emit_range("float32", (40,), 0, 0.25)
    emit_range("int32", (1000,), 0, 1)
    emit_range("int32", (1001,), 0, 1)
    emit_range("float32", (1001,), -5, 0.5)
    emit_range("float32", (40, 40), 0, 1)
    emit_range("int64", (7, 6, 50), 0, 1000)
    emit_range("float64", (1, 2000), 0, 1e-3)
    emit_range("int32", (11, 11, 11), 0, 1)


if __name__ == "__main__":
    main()
