#!/usr/bin/env python3
"""Gives ONNX models made by Weir to onnx.checker and ONNX Runtime and compares the results.

usage: onnx_export_check.py [--program FILE] [--directory DIR]
(with a Python that has the packages onnx and onnxruntime)

The program interop_write_onnx writes models, inputs, Weir's own outputs, and those of the models as
Weir reads them again (<model>.<input, output or reread>.N.npy).
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arrays(directory, model, kind):
    files = sorted(directory.glob(f"{model}.{kind}.*.npy"), key=lambda p: int(p.name.split(".")[2]))
    return [np.load(f) for f in files]


def differences(how, got, wanted):
    if len(got) != len(wanted):
        yield f"{how}: {len(got)} results, not {len(wanted)}"
    for i, (a, b) in enumerate(zip(got, wanted)):
        a = np.asarray(a)
        if a.dtype != b.dtype or a.shape != b.shape:
            yield f"{how}: output {i} is {a.dtype}{a.shape}, not {b.dtype}{b.shape}"
        elif not np.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True):
            yield f"{how}: output {i} differs by {np.abs(a.astype(float) - b.astype(float)).max()}"


def check(directory, name):
    path = str(directory / f"{name}.onnx")
    wanted = arrays(directory, name, "output")
    yield from differences("read again", arrays(directory, name, "reread"), wanted)
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:  # the checker has exceptions of several kinds
        yield f"onnx.checker: {error}"
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        feeds = dict(zip((i.name for i in session.get_inputs()), arrays(directory, name, "input")))
        yield from differences("ONNX Runtime", session.run(None, feeds), wanted)
    except Exception as error:
        yield f"ONNX Runtime: {error}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=ROOT / "build/bin/interop_write_onnx")
    parser.add_argument("--directory", type=pathlib.Path)
    options = parser.parse_args()
    onnxruntime.set_default_logger_severity(3)
    with tempfile.TemporaryDirectory() as scratch:
        directory = options.directory or pathlib.Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([options.program, directory], stdout=subprocess.PIPE, text=True)
        names = done.stdout.split()
        problems = [f"{name}: {p}" for name in names for p in check(directory, name)]
        nodes = {n: len(onnx.load(directory / f"{n}.onnx").graph.node) for n in names}
        outputs = sum(len(arrays(directory, n, "output")) for n in names)
    print("\n".join(problems), end="\n" if problems else "")
    print(f"{len(names)} models, {sum(nodes.values())} nodes, {outputs} outputs, "
          f"{len(problems)} problems")
    return 1 if problems or done.returncode or not names else 0


if __name__ == "__main__":
    sys.exit(main())
