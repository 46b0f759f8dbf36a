#!/usr/bin/env python3
"""Loads SavedModels made by Weir with TensorFlow and compares the results.

usage: saved_model_check.py [--program FILE] [--directory DIR]     (with a Python that has TensorFlow)

The program interop_write_model writes models, an input and its own output for each
(<model>.<input or output>.npy); every loader of TensorFlow must give the same output.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow.python.saved_model import loader_impl  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


def expect(condition, what):
    if not condition:
        sys.exit(f"saved_model_check: {what}")


def arrays(directory, model, kind, names):
    return {n: np.load(directory / f"{model}.{kind}.{n}.npy") for n in names}


def compare(how, model, results, wanted):
    for name, value in wanted.items():
        expect(name in results, f"{model}: {how}: no result {name}: {list(results)}")
        got = np.asarray(results[name])
        expect(got.dtype == value.dtype and got.shape == value.shape,
               f"{model}: {how}: {name} is {got.dtype}{got.shape}, not {value.dtype}{value.shape}")
        close = np.allclose(got, value, rtol=1e-5, atol=1e-6, equal_nan=True)
        expect(close, f"{model}: {how}: {name} differs by {np.abs(got - value).max()}")


def load_v2(path, inputs):
    signature = tf.saved_model.load(path).signatures["serving_default"]
    return signature(**{k: tf.constant(v) for k, v in inputs.items()})


def load_v1(path, inputs):
    """As TensorFlow Serving does: by tag and tensor names."""
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], path)
        signature = meta.signature_def["serving_default"]
        feeds = {signature.inputs[k].name: v for k, v in inputs.items()}
        return session.run({k: t.name for k, t in signature.outputs.items()}, feeds)


def load_keras(path, inputs):
    layer = tf.keras.layers.TFSMLayer(path, call_endpoint="serving_default")
    expect(len(inputs) == 1, "TFSMLayer takes one input here")
    return layer(tf.constant(next(iter(inputs.values()))))


def load_tflite(path, inputs):
    data = tf.lite.TFLiteConverter.from_saved_model(path).convert()
    interpreter = tf.lite.Interpreter(model_content=data)
    return interpreter.get_signature_runner("serving_default")(**inputs)


def check(directory, path):
    model = path.name
    meta = loader_impl.SavedModelLoader(str(path)).get_meta_graph_def_from_tags(["serve"])
    signature = meta.signature_def["serving_default"]
    inputs = arrays(directory, model, "input", signature.inputs)
    wanted = arrays(directory, model, "output", signature.outputs)
    loaders = {"tf.saved_model.load": load_v2, "v1 loader": load_v1, "TFLite": load_tflite}
    if len(inputs) == 1:
        loaders["TFSMLayer"] = load_keras
    for how, loader in loaders.items():
        compare(how, model, loader(str(path), inputs), wanted)
    print(f"saved_model_check: {model}: {', '.join(loaders)}: {len(wanted)} results equal")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "build" / "bin" / "interop_write_model")
    parser.add_argument("--directory", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.directory or pathlib.Path(temporary)
        if options.directory is None:
            subprocess.run([options.program, directory], check=True)
        models = [p.parent for p in sorted(directory.glob("*/saved_model.pb"))]
        expect(models, f"no models in {directory}")
        for path in models:
            check(directory, path)


if __name__ == "__main__":
    main()
