#!/usr/bin/env python3
"""Checkpoints of Weir in TensorFlow, and the other way round.

Usage: checkpoint_check.py PROGRAM    (build/bin/interop_checkpoint)
Needs the packages tensorflow and keras.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

failures = 0
checks = 0


def expect(ok, what):
    global failures, checks
    checks += 1
    if not ok:
        failures += 1
        print("FAILED:", what)


def three_layers():
    return [keras.layers.Dense(4, activation="relu"), keras.layers.BatchNormalization(), keras.layers.Dense(2)]


def branched():
    first, norm, last = three_layers()
    x = keras.Input((3,))
    return keras.Model(x, last(keras.layers.Add()([norm(first(x)), keras.layers.Dense(4)(x)])))


def models():
    yield "adam", keras.Sequential([keras.Input((3,))] + three_layers()), keras.optimizers.Adam(0.01)
    yield "momentum", branched(), keras.optimizers.SGD(momentum=0.9)
    yield "rmsprop", branched(), keras.optimizers.RMSprop(momentum=0.5, centered=True)
    yield "sgd", keras.Sequential([keras.Input((3,)), keras.layers.Dense(16), keras.layers.Reshape((4, 4, 1)),
                                   keras.layers.Conv2D(2, 3), keras.layers.Flatten(),
                                   keras.layers.Dense(2)]), keras.optimizers.SGD(0.01)


def compare(name, model, optimizer, seen):
    """Outputs within rounding, the optimiser's variables bit for bit."""
    expect(np.allclose(model(seen["x"], training=False).numpy(), seen["y"], atol=1e-5), f"{name}: outputs")
    for i, variable in enumerate(optimizer.variables):
        value = variable.numpy()
        found = seen.get(f"o{i}")
        expect(found is not None and found.tobytes() == value.tobytes(), f"{name}: optimiser variable {i}")


def check_ours(folder):
    """What Weir wrote, read by TensorFlow."""
    for name, model, optimizer in models():
        optimizer.build(model.trainable_variables)
        model.compile(optimizer, "mse")
        step = tf.Variable(0, dtype=tf.int64)
        path = tf.train.latest_checkpoint(str(folder / name))
        expect(path and path.endswith("ckpt-2"), f"{name}: latest_checkpoint is {path}")
        tf.train.Checkpoint(model=model, optimizer=optimizer, step=step).restore(path).assert_consumed()
        expect(step.numpy() == 5, f"{name}: step")
        compare(name, model, optimizer, np.load(folder / f"{name}.npz"))
        model.train_on_batch(np.ones((4, 3), "f"), np.ones((4, 2), "f"))
        expect(optimizer.iterations.numpy() == 4, f"{name}: goes on from step 3")


def check_bundles(folder):
    reader = tf.train.load_checkpoint(str(folder / "dtypes"))
    dtypes = reader.get_variable_to_dtype_map()
    expect(len(dtypes) == 18, f"dtypes: {sorted(dtypes)}")
    for name, dtype in dtypes.items():
        value = reader.get_tensor(name)
        if name in ("empty", "scalar", "text"):
            continue
        expect(dtype.name == name and value.shape == (2, 3), f"dtype {name}")
        expect((value.astype("c16") == 1).all(), f"values of {name}")
    expect(reader.get_tensor("text").tolist() == [b"one", b"", b"three"], "strings")
    expect(reader.get_tensor("empty").shape == (0, 3), "empty")
    parts = tf.train.load_checkpoint(str(folder / "parts")).get_tensor("w")
    expect(parts.tolist() == [[1, 1, 1], [1, 1, 1], [2, 3, 3], [2, 3, 3]], "parts")
    part = tf.raw_ops.RestoreV2(prefix=str(folder / "parts"), tensor_names=["w"], shape_and_slices=["4 3 1,2:0,2"],
                                dtypes=[tf.float32])[0]
    expect(part.numpy().tolist() == [[1, 1], [2, 3]], "a part across parts")


def write_theirs(folder):
    for name, model, optimizer in models():
        model.compile(optimizer, "mse")
        x = np.cos(np.arange(24, dtype="f")).reshape(8, 3)
        for _ in range(3):
            model.train_on_batch(x, x[:, :2])
        checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=tf.Variable(5, dtype=tf.int64))
        manager = tf.train.CheckpointManager(checkpoint, str(folder / name), max_to_keep=2)
        for _ in range(3):
            manager.save()
        yield name, model, optimizer


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "ours").mkdir()
        (folder / "theirs").mkdir()
        subprocess.run([program, "write", folder / "ours"], check=True)
        check_ours(folder / "ours")
        check_bundles(folder / "ours")
        theirs = list(write_theirs(folder / "theirs"))
        subprocess.run([program, "read", folder / "theirs"], check=True)
        for name, model, optimizer in theirs:
            compare(name + " of TensorFlow", model, optimizer, np.load(folder / "theirs" / f"{name}.npz"))
    print(f"{checks} checks, {failures} failures")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
