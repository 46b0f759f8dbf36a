"""Writes the seeds of npy_fuzz with NumPy."""
import pathlib

import numpy as np

here = pathlib.Path(__file__).parent
np.save(here / "float32.npy", np.arange(6, dtype="<f4").reshape(2, 3))
np.save(here / "fortran_big_endian.npy", np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)))
np.save(here / "text.npy", np.array(["a", "h\u00e9llo"]))
np.savez(here / "two.npz", a=np.float64(1.5), b=np.array([True, False]))
