"""What all frameworks compute with: weights and inputs, from one seed.

Layouts are TensorFlow's: images NHWC, dense kernels [in, out], filters [h, w, in, out].
"""

import numpy

MLP = [784, 256, 256, 256, 10]
CNN_FILTERS = [(3, 3, 1, 32), (3, 3, 32, 64)]
CNN_DENSE = [7 * 7 * 64, 128, 10]
RATE = 0.01  # of gradient descent


def glorot(random, *shape):
    window = int(numpy.prod(shape[:-2]))
    limit = numpy.sqrt(6 / (window * (shape[-2] + shape[-1])))
    return random.uniform(-limit, limit, shape).astype(numpy.float32)


def dense(random, sizes):
    for n, m in zip(sizes, sizes[1:]):
        yield glorot(random, n, m)
        yield random.uniform(-0.1, 0.1, m).astype(numpy.float32)


def convolutions(random):
    for shape in CNN_FILTERS:
        yield glorot(random, *shape)
        yield random.uniform(-0.1, 0.1, shape[-1]).astype(numpy.float32)


def make():
    random = numpy.random.default_rng(1)
    weights = {"mlp": [*dense(random, MLP)],
               "cnn": [*convolutions(random), *dense(random, CNN_DENSE)]}
    data = {f"{m}_{i:02}": w for m, list_ in weights.items() for i, w in enumerate(list_)}
    for batch in (1, 32, 100):
        data[f"images_{batch}"] = random.random((batch, 28, 28), dtype=numpy.float32)
        data[f"labels_{batch}"] = random.integers(0, 10, batch).astype(numpy.int32)
    for side in (16, 1024):
        data[f"matrix_{side}"] = random.standard_normal((side, side), dtype=numpy.float32)
    data["four"] = numpy.arange(1, 5, dtype=numpy.float32)
    return data


def weights(data, model):
    return [data[k] for k in sorted(data) if k.startswith(model + "_")]


def flops(case):
    """Of one call, 0 where the arithmetic is not what counts."""
    kind, *rest = case.split("/")
    mlp = 2 * sum(n * m for n, m in zip(MLP, MLP[1:]))
    cnn = 2 * (28 * 28 * 9 * 32 + 14 * 14 * 9 * 32 * 64 + 7 * 7 * 64 * 128 + 128 * 10)
    if kind == "mlp" and rest[0] != "1":
        return mlp * int(rest[0])
    if kind == "mlp_train":
        return (3 * mlp - 2 * 784 * 256) * int(rest[0])
    if kind == "cnn":
        return cnn * int(rest[0])
    if kind == "cnn_train":
        return (3 * cnn - 2 * 28 * 28 * 9 * 32) * int(rest[0])
    return 0
