"""TensorFlow: Keras eagerly as its tutorials do, tf.function with frozen weights, and XLA."""

import os

import data as shared

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import tensorflow as tf  # noqa: E402
from tensorflow.python.framework.convert_to_constants import (  # noqa: E402
    convert_variables_to_constants_v2)


class Peer:
    def __init__(self, threads, data):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self.data = data

    @staticmethod
    def to_numpy(t):
        return t.numpy()

    def model(self, name, softmax):
        k = tf.keras
        dense = [k.layers.Dense(n, "relu") for n in ([256] * 3 if name == "mlp" else [128])]
        last = k.layers.Dense(10, "softmax" if softmax else None)
        if name == "mlp":
            model = k.Sequential([k.Input((28, 28)), k.layers.Flatten(), *dense, last])
        else:
            images = []
            for filters in (32, 64):
                images += [k.layers.Conv2D(filters, 3, padding="same", activation="relu"),
                           k.layers.MaxPooling2D(padding="same")]
            model = k.Sequential([k.Input((28, 28, 1)), *images, k.layers.Flatten(), *dense, last])
        model.set_weights(shared.weights(self.data, name))
        return model

    def image(self, name, batch):
        x = tf.constant(self.data[f"images_{batch}"])
        return x if name == "mlp" else x[..., None]

    def inference(self, name, batch):
        model, x = self.model(name, softmax=True), self.image(name, batch)
        concrete = tf.function(lambda t: model(t)).get_concrete_function(
            tf.TensorSpec(x.shape, x.dtype))
        frozen = convert_variables_to_constants_v2(concrete)
        xla = tf.function(lambda t: model(t), jit_compile=True)
        return {"eager": lambda: model(x), "graph": lambda: frozen(x)[0],
                "xla": lambda: sync(xla(x))}

    def mlp(self, batch):
        return self.inference("mlp", batch)

    def cnn(self, batch):
        return self.inference("cnn", batch)

    def mlp_train(self, batch):
        return self.training("mlp", batch)

    def cnn_train(self, batch):
        return self.training("cnn", batch)

    def training(self, name, batch):
        x, labels = self.image(name, batch), tf.constant(self.data[f"labels_{batch}"])

        def make():
            model = self.model(name, softmax=False)
            loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            sgd = tf.keras.optimizers.SGD(shared.RATE)
            sgd.build(model.trainable_variables)

            def step():
                with tf.GradientTape() as tape:
                    loss = loss_of(labels, model(x, training=True))
                weights = model.trainable_variables
                sgd.apply_gradients(zip(tape.gradient(loss, weights), weights))
                return loss
            return step
        return {"eager": make(), "graph": tf.function(make()),
                "xla": tf.function(make(), jit_compile=True)}

    def add(self):
        a = tf.constant(self.data["four"])
        concrete = tf.function(lambda x: x + x).get_concrete_function(a)
        return {"eager": lambda: a + a, "graph": lambda: concrete(a)}

    def add_grad(self):
        a = tf.constant(self.data["four"])

        def call():
            with tf.GradientTape() as tape:
                tape.watch(a)
                y = a + a
            return tape.gradient(y, a)
        return {"eager": call}

    def function(self, name, side):
        x = tf.constant(self.data[f"matrix_{side}"])
        rows = tf.range(int(side)) * 7 % int(side)
        functions = {
            "tanh_gelu": lambda t: 0.5 * t * (1 + tf.tanh(0.7978845608 * (t + 0.044715 * t * t * t))),
            "softmax": lambda t: tf.nn.softmax(t),
            "layer_norm": layer_norm,
            "logsumexp": lambda t: tf.reduce_logsumexp(t, -1),
            "argmax": lambda t: tf.argmax(t, -1),
            "cumsum": lambda t: tf.cumsum(t, -1),
            "transpose": tf.transpose,
            "concat": lambda t: tf.concat([t, t], 1),
            "gather": lambda t: tf.gather(t, rows),
            "sum": tf.reduce_sum,
            "matmul": lambda t: t @ t,
        }
        run = functions[name]
        graph, xla = tf.function(run), tf.function(run, jit_compile=True)
        return {"eager": lambda: run(x), "graph": lambda: graph(x), "xla": lambda: sync(xla(x))}


def sync(t):
    """XLA's results may still be on their way."""
    tf.experimental.sync_devices() if hasattr(tf.experimental, "sync_devices") else None
    return t


def layer_norm(t):
    mean, variance = tf.nn.moments(t, -1, keepdims=True)
    return tf.nn.batch_normalization(t, mean, variance, None, None, 1e-3)
