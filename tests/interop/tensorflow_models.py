#!/usr/bin/env python3
"""Makes models with TensorFlow and Keras, runs them there and with Weir, and compares the results.

usage: tensorflow_models.py [--weir FILE] [--directory DIR] [NAME ...]    (a Python that has TensorFlow)

DIR/NAME is the model, NAME.in.K.npy and NAME.out.K.npy are its arguments and TensorFlow's results.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
keras, layers = tf.keras, tf.keras.layers
RANDOM = np.random.default_rng(7)
MODELS = {}


def model(function):
    MODELS[function.__name__] = function
    return function


def floats(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


def sequential(shape, *stack):
    return keras.Sequential([keras.Input(shape), *stack])


def exported(build, *shape):
    """A Keras model by model.export, and a batch of two."""
    def make(path):
        built = build()
        built.export(path, verbose=False)
        return "serving_default", [floats(2, *shape)]
    return make


def module(make_module):
    """A tf.Module with a function f, whose concrete function is the signature."""
    def make(path):
        built, arguments = make_module()
        specs = [tf.TensorSpec([None, *a.shape[1:]] if a.ndim else [], a.dtype) for a in arguments]
        function = built.f.get_concrete_function(*specs)
        tf.saved_model.save(built, path, signatures=function)
        names = list(built.f.function_spec.arg_names)
        return "serving_default", dict(zip(names, arguments))
    return make


# -- Keras --

KERAS = {
    "mlp": (lambda: sequential((8,), layers.Dense(16, "relu"), layers.Dense(4, "softmax")), 8),
    "norms": (lambda: sequential((8,), layers.LayerNormalization(), layers.Dense(6, "tanh"),
                                 layers.Dropout(0.5), layers.Dense(3)), 8),
    "activations": (lambda: sequential((6,), *[layers.Dense(6, a) for a in (
        "elu", "selu", "softplus", "softsign", "swish", "gelu", "leaky_relu", "relu6",
        "hard_sigmoid", "exponential", "mish", "log_softmax")]), 6),
    "cnn": (lambda: sequential((12, 12, 3), layers.Conv2D(8, 3, padding="same", activation="relu"),
                               layers.BatchNormalization(), layers.MaxPooling2D(),
                               layers.DepthwiseConv2D(3), layers.AveragePooling2D(2, 1),
                               layers.SeparableConv2D(6, 2), layers.GlobalAveragePooling2D(),
                               layers.Dense(5)), 12, 12, 3),
    "upsampling": (lambda: sequential((5, 6, 2), layers.Conv2DTranspose(4, 3, 2, "same"),
                                      layers.UpSampling2D(2, interpolation="nearest"),
                                      layers.ZeroPadding2D(1), layers.Cropping2D(1),
                                      layers.GlobalMaxPooling2D()), 5, 6, 2),
    "bilinear": (lambda: sequential((5, 6, 2), layers.Resizing(9, 7), layers.Rescaling(0.5, 1),
                                    layers.Conv2D(3, 3, dilation_rate=2)), 5, 6, 2),
    "conv1d": (lambda: sequential((20, 4), layers.Conv1D(6, 3, padding="causal"),
                                  layers.MaxPooling1D(), layers.GlobalAveragePooling1D()), 20, 4),
    "lstm": (lambda: sequential((7, 5), layers.LSTM(6)), 7, 5),
    "lstm_sequence": (lambda: sequential((7, 5), layers.LSTM(6, return_sequences=True),
                                         layers.TimeDistributed(layers.Dense(2))), 7, 5),
    "gru": (lambda: sequential((7, 5), layers.Bidirectional(layers.GRU(4))), 7, 5),
    "rnn": (lambda: sequential((7, 5), layers.SimpleRNN(4, go_backwards=True)), 7, 5),
}
for name, (build, *shape) in KERAS.items():
    MODELS["keras_" + name] = exported(build, *shape)


@model
def keras_attention(path):
    x = keras.Input((6, 8))
    y = layers.MultiHeadAttention(2, 4)(x, x)
    y = layers.LayerNormalization()(layers.Add()([x, y]))
    y = layers.Dense(16, "gelu")(y)
    keras.Model(x, layers.Dense(8)(y)).export(path, verbose=False)
    return "serving_default", [floats(2, 6, 8)]


@model
def keras_embedding(path):
    x = keras.Input((5,), dtype="int32")
    y = layers.Flatten()(layers.Embedding(11, 4)(x))
    keras.Model(x, layers.Dense(3)(y)).export(path, verbose=False)
    return "serving_default", [RANDOM.integers(0, 11, (2, 5)).astype(np.int32)]


@model
def keras_branches(path):
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    y = layers.Concatenate()([layers.Multiply()([a, b]), layers.Maximum()([a, b]),
                              layers.Subtract()([a, b]), layers.Dot(1)([a, b])])
    outputs = [layers.Dense(3)(y), layers.Reshape((2, 2))(layers.Average()([a, b]))]
    keras.Model([a, b], outputs).export(path, verbose=False)
    return "serving_default", {"a": floats(2, 4), "b": floats(2, 4)}


@model
def keras_saved(path):
    """By tf.saved_model.save, not by export."""
    built = sequential((4,), layers.Dense(3, "relu"), layers.Dense(2))
    tf.saved_model.save(built, path)
    return "serving_default", [floats(2, 4)]


# -- modules --

class Linear(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(floats(4, 3), name="w")
        self.b = tf.Variable(floats(3), name="b", trainable=False)

    @tf.function
    def f(self, x):
        return {"y": tf.matmul(x, self.w) + self.b, "z": tf.reduce_sum(x)}


MODELS["module_linear"] = module(lambda: (Linear(), [floats(2, 4)]))


def plain(function, *arguments):
    def make():
        built = tf.Module()
        built.f = tf.function(function)
        return built, list(arguments)
    return module(make)


def with_while(x):
    i, total = tf.constant(0), tf.zeros_like(x)
    while i < 5:
        total += x * tf.cast(i, tf.float32)
        i += 1
    return {"y": total}


def with_cond(x):
    if tf.reduce_sum(x) > 0:
        y = x * 2
    else:
        y = x - 1
    return {"y": y}


def with_case(x, i):
    return {"y": tf.switch_case(i, [lambda: x + 1, lambda: x * 3, lambda: -x])}


def with_array(x):
    n = tf.shape(x)[0]
    array = tf.TensorArray(tf.float32, size=n)
    for i in tf.range(n):
        array = array.write(i, tf.reduce_sum(x[i]) + tf.cast(i, tf.float32))
    return {"y": array.stack()}


def with_scan(x):
    return {"y": tf.scan(lambda a, b: a * 0.5 + b, x)}


def with_map(x):
    return {"y": tf.map_fn(lambda row: tf.cumsum(row) / (1 + tf.reduce_max(row) ** 2), x)}


def with_strided(x):
    return {"y": x[:, 1:3], "z": x[::-1, tf.newaxis, ..., -1], "w": tf.pad(x, [[1, 0], [0, 2]])}


def with_shapes(x):
    n = tf.shape(x)[0]
    return {"y": tf.reshape(x, [n * 2, -1]), "z": tf.tile(x, [1, 2]), "w": tf.range(n),
            "v": tf.fill([n, 2], 1.5), "u": tf.stack([x, x], 1), "t": tf.split(x, 2, 1)[1]}


def with_gather(x, i):
    return {"y": tf.gather(x, i, axis=1), "z": tf.one_hot(i, 4), "w": tf.gather_nd(x, [[0, 1]]),
            "v": tf.math.top_k(x, 2).values, "u": tf.sort(x, axis=-1), "t": tf.argmax(x, 1)}


def with_einsum(x):
    return {"y": tf.einsum("bi,bj->bij", x, x), "z": tf.linalg.matmul(x, x, transpose_b=True)}


def with_math(x):
    p = tf.abs(x) + 0.5
    return {"a": tf.math.log(p) + tf.exp(-p), "b": tf.math.rsqrt(p) * tf.sqrt(p), "c": tf.sin(x),
            "d": tf.math.erf(x), "e": tf.floor(x) + tf.round(x), "f": tf.pow(p, 1.5),
            "g": tf.where(x > 0, x, -x), "h": tf.clip_by_value(x, -0.5, 0.5),
            "i": tf.math.reduce_logsumexp(x, 1), "j": tf.math.l2_normalize(x, 1),
            "k": tf.cast(x, tf.int32) // 2, "l": tf.math.floormod(x, 0.7), "m": tf.sign(x)}


for name, (function, *arguments) in {
    "while": (with_while, floats(2, 4)), "cond": (with_cond, floats(2, 4)),
    "case": (with_case, floats(2, 4), np.array(1, np.int32)), "array": (with_array, floats(3, 4)),
    "scan": (with_scan, floats(5, 3)), "map": (with_map, floats(4, 3)),
    "strided": (with_strided, floats(2, 4)), "shapes": (with_shapes, floats(2, 4)),
    "gather": (with_gather, floats(2, 4), np.array([1, 3, 0], np.int32)),
    "einsum": (with_einsum, floats(3, 4)), "math": (with_math, floats(3, 4)),
}.items():
    MODELS["module_" + name] = plain(function, *arguments)


@model
def module_table(path):
    words = tf.constant(["a", "b", "c"])
    built = tf.Module()
    built.table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant([4, 9, 2], tf.int64),
                                            tf.constant([1.5, 2.5, 3.5])), -1.0)
    del words
    built.f = tf.function(lambda x: {"y": built.table.lookup(x)},
                          input_signature=[tf.TensorSpec([None], tf.int64)])
    tf.saved_model.save(built, path, signatures=built.f)
    return "serving_default", [np.array([9, 4, 7, 2], np.int64)]


@model
def module_counter(path):
    built = tf.Module()
    built.count = tf.Variable(3.0)
    built.f = tf.function(lambda x: {"y": x * built.count.assign_add(1.0)},
                          input_signature=[tf.TensorSpec([None], tf.float32)])
    tf.saved_model.save(built, path, signatures=built.f)
    return "serving_default", [floats(3)]


# -- TensorFlow 1 --

def v1(build):
    def make(path):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            inputs, outputs = build()
            session.run(tf.compat.v1.global_variables_initializer())
            tf.compat.v1.saved_model.simple_save(session, path, inputs, outputs)
        return "serving_default", {k: floats(2, *v.shape[1:]) for k, v in inputs.items()}
    return make


def v1_dense(resource):
    def build():
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], "x")
        with tf.compat.v1.variable_scope("dense", use_resource=resource):
            w = tf.compat.v1.get_variable("w", initializer=floats(4, 3))
            b = tf.compat.v1.get_variable("b", initializer=floats(3))
        return {"x": x}, {"y": tf.nn.relu(tf.matmul(x, w) + b)}
    return build


def v1_loop():
    tf.compat.v1.disable_control_flow_v2()
    x = tf.compat.v1.placeholder(tf.float32, [None, 4], "x")
    w = tf.compat.v1.get_variable("w", initializer=floats(4, 4), use_resource=True)
    _, y = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, tf.tanh(tf.matmul(a, w))),
                         [tf.constant(0), x])
    z = tf.cond(tf.reduce_sum(x) > 0, lambda: y * 2, lambda: y - 1)
    return {"x": x}, {"y": y, "z": z}


MODELS["v1_references"] = v1(v1_dense(False))
MODELS["v1_resources"] = v1(v1_dense(True))
MODELS["v1_control_flow"] = v1(v1_loop)


# -- running --

def run_tensorflow(path, signature, arguments):
    function = tf.saved_model.load(path).signatures[signature]
    specs = function.structured_input_signature[1]
    if not isinstance(arguments, dict):
        arguments = dict(zip(sorted(specs), arguments))
    arguments = {k: v.astype(specs[k].dtype.as_numpy_dtype) for k, v in arguments.items()}
    results = function(**{k: tf.constant(v) for k, v in arguments.items()})
    return arguments, {k: v.numpy() for k, v in results.items()}


def make(name, directory):
    path = str(directory / name)
    signature, arguments = MODELS[name](path)
    arguments, results = run_tensorflow(path, signature, arguments)
    for kind, values in (("in", arguments), ("out", results)):
        for key, value in values.items():
            np.save(directory / f"{name}.{kind}.{key}.npy", value)


def run_weir(program, name, directory):
    """None, or what is wrong."""
    command = [program, "run", directory / name, "--output-dir", directory / f"{name}.weir"]
    for file in directory.glob(f"{name}.in.*.npy"):
        command += ["--input", f"{file.name[len(name) + 4:-4]}={file}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return done.stderr.strip()[-400:] or f"exit {done.returncode}"
    for file in sorted(directory.glob(f"{name}.out.*.npy")):
        key = file.name[len(name) + 5:-4]
        wanted, got = np.load(file), np.load(directory / f"{name}.weir" / f"{key}.npy")
        if wanted.dtype != got.dtype or wanted.shape != got.shape:
            return f"{key} is {got.dtype}{got.shape}, not {wanted.dtype}{wanted.shape}"
        if not np.allclose(wanted, got, rtol=1e-4, atol=1e-5):
            return f"{key} differs by {np.abs(wanted - got).max()}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weir", default=str(ROOT / "build/bin/weir"))
    parser.add_argument("--directory")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(arguments.directory or temporary)
        failures = 0
        for name in arguments.names or MODELS:
            if not list(directory.glob(f"{name}.out.*")):
                make(name, directory)
            problem = run_weir(arguments.weir, name, directory)
            failures += problem is not None
            print(f"{name}: {problem or 'equal'}", flush=True)
        print(f"{len(arguments.names or MODELS) - failures} equal, {failures} not")
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
