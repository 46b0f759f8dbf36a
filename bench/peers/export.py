#!/usr/bin/env python3
"""Files for the frameworks' C++ programs: the data for LibTorch, frozen graphs for TensorFlow.

    export.py DATA.npz FOLDER
"""

import pathlib
import sys

import numpy


def for_libtorch(data, folder):
    import torch
    torch.save({k: torch.from_numpy(v) for k, v in data.items()}, folder / "data.pt")


def for_tensorflow(data, folder):
    import tensorflow_peer
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2)
    peer = tensorflow_peer.Peer(1, data)
    data["four"].tofile(folder / "add.raw")
    for name, batch in (("mlp", 100), ("mlp", 1), ("cnn", 32)):
        model, x = peer.model(name, softmax=True), peer.image(name, batch)
        frozen = convert_variables_to_constants_v2(
            tf.function(lambda t, m=model: m(t)).get_concrete_function(
                tf.TensorSpec(x.shape, x.dtype)))
        stem = folder / f"{name}_{batch}"
        stem.with_suffix(".pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())
        stem.with_suffix(".txt").write_text(" ".join(
            [frozen.inputs[0].op.name, frozen.outputs[0].op.name, *map(str, x.shape)]))
        x.numpy().tofile(stem.with_suffix(".raw"))


def main():
    data, folder = dict(numpy.load(sys.argv[1])), pathlib.Path(sys.argv[2])
    for_libtorch(data, folder)
    for_tensorflow(data, folder)


if __name__ == "__main__":
    main()
