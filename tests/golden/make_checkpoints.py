#!/usr/bin/env python3
"""Writes the checkpoints that the tests of io/bundle and io/checkpoint read, with TensorFlow.

Usage: make_checkpoints.py REPOSITORY   (needs the packages tensorflow and keras)
The files are committed, so that the tests need neither.
"""

import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

DTYPES = [tf.float32, tf.float64, tf.float16, tf.bfloat16, tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8,
          tf.uint16, tf.uint32, tf.uint64, tf.complex64, tf.complex128]


def save(prefix, tensors, slices=None):
    """tensors: name -> value; slices: name -> the "shape and slice" text of a part."""
    names = list(tensors)
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names,
                      shape_and_slices=[(slices or {}).get(name, "") for name in names],
                      tensors=[tensors[name] for name in names])


def write_dtypes(folder):
    """Every dtype as [2, 3] of 0 to 5, and what is special: scalars, nothing, strings."""
    values = tf.reshape(tf.range(6), [2, 3])
    tensors = {dtype.name: tf.cast(values, dtype) for dtype in DTYPES}
    tensors["bool"] = tf.constant([True, False, True])
    tensors["scalar"] = tf.constant(2.5)
    tensors["empty"] = tf.zeros([0, 3])
    tensors["strings"] = tf.constant([b"one", b"", b"\xff\x00three", b"x" * 300])
    tensors["text"] = tf.constant(b"alone")
    tensors["quantised"] = tf.bitcast(tf.constant([1, 2], tf.uint8), tf.quint8)
    save(folder / "dtypes", tensors)


def write_parts(folder):
    """A tensor [4, 3] of 0 to 11 in three parts, in two shards of one bundle."""
    whole = np.arange(12, dtype="f").reshape(4, 3)
    for shard, (rows, columns, spec) in enumerate([(slice(0, 2), slice(0, 3), "0,2:-"),
                                                   (slice(2, 4), slice(0, 1), "2,2:0,1"),
                                                   (slice(2, 4), slice(1, 3), "2,2:1,2")]):
        save(folder / f"part-{shard}", {"w": tf.constant(whole[rows, columns])}, {"w": "4 3 " + spec})
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[str(folder / f"part-{i}") for i in range(3)],
                                  destination_prefix=str(folder / "parts"), delete_old_dirs=False)


def write_names(folder):
    """As TensorFlow 1 saved: by the names of variables."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        a = tf.compat.v1.get_variable("dense/kernel", initializer=np.arange(6, dtype="f").reshape(2, 3))
        b = tf.compat.v1.get_variable("dense/bias", initializer=np.array([7, 8, 9], "f"))
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver([a, b]).save(session, str(folder / "names"), write_meta_graph=False,
                                              write_state=False)


def write_keras(folder, name, optimizer, functional=False):
    """A model and its optimiser after two steps; weights are set by a formula."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((3,))
    layers = [keras.layers.Dense(4, activation="relu", name="a"), keras.layers.BatchNormalization(name="n"),
              keras.layers.Dense(2, name="b")]
    if functional:
        a, n, b = layers
        model = keras.Model(inputs, b(keras.layers.Add()([n(a(inputs)), keras.layers.Dense(4, name="c")(inputs)])))
    else:
        model = keras.Sequential([inputs] + layers)
    model.set_weights([np.sin(1 + np.arange(w.size) + 10 * i).astype("f").reshape(w.shape) ** 2
                       for i, w in enumerate(model.get_weights())])
    model.compile(optimizer, "mse")
    x = np.cos(np.arange(24, dtype="f")).reshape(8, 3)
    for _ in range(2):
        model.train_on_batch(x, x[:, :2])
    step = tf.Variable(5, dtype=tf.int64)
    tf.train.Checkpoint(model=model, optimizer=model.optimizer, step=step).write(str(folder / name))
    np.savez(folder / (name + "_expected.npz"), y=model(x, training=False).numpy(), x=x,
             **{f"w{i}": w for i, w in enumerate(model.get_weights())},
             **{f"o{i}": v.numpy() for i, v in enumerate(model.optimizer.variables)})


def write_seeds(folder):
    """Seeds of the fuzzer (io/bundle/bundle_fuzz.cpp): whole files, and entries of a table."""
    index = (folder / "dtypes.index").read_bytes()
    data = (folder / "dtypes.data-00000-of-00001").read_bytes()
    (folder / "small.bundle").write_bytes(b"\0" + len(index).to_bytes(4, "little") + index + data)
    entries = [(b"", "08011a020801"), (b"t", "08071204120208022008280835" + "9188b04d"),
               (b"w", "0801120412020802280835593ce535")]
    table = b"".join(bytes([len(k)]) + k + bytes([len(v) // 2]) + bytes.fromhex(v) for k, v in entries)
    strings = bytes.fromhex("020078270b346162")
    (folder / "entries.bundle").write_bytes(b"\1" + bytes([len(entries)]) + table + bytes.fromhex("0000803f00000040")
                                            + strings)


def main():
    root = pathlib.Path(sys.argv[1])
    bundles = root / "src/io/bundle/testdata"
    models = root / "src/io/checkpoint/testdata"
    for folder in (bundles, models):
        folder.mkdir(parents=True, exist_ok=True)
    write_dtypes(bundles)
    write_parts(bundles)
    write_names(bundles)
    write_seeds(bundles)
    for stale in bundles.glob("part-?.*"):
        stale.unlink()
    write_keras(models, "adam", keras.optimizers.Adam(0.01))
    write_keras(models, "momentum", keras.optimizers.SGD(0.01, momentum=0.9), functional=True)
    write_keras(models, "rmsprop", keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True))


if __name__ == "__main__":
    main()
