"""JAX: jit, and its eager dispatch for single ops."""

import os

import numpy

import data as shared


class Peer:
    def __init__(self, threads, data):
        os.environ["XLA_FLAGS"] = (
            f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'} "
            f"intra_op_parallelism_threads={threads}")
        os.environ["JAX_PLATFORMS"] = "cpu"
        global jax, jnp
        import jax
        import jax.numpy as jnp
        self.data = data

    to_numpy = staticmethod(numpy.asarray)

    def array(self, name):
        return jnp.asarray(self.data[name])

    def modes(self, run, *arguments, eager=False):
        compiled = jax.jit(run)
        modes = {"graph": lambda: compiled(*arguments).block_until_ready()}
        if eager:
            modes["eager"] = lambda: run(*arguments).block_until_ready()
        return modes

    def mlp(self, batch):
        weights = [jnp.asarray(w) for w in shared.weights(self.data, "mlp")]
        return self.modes(lambda w, x: jax.nn.softmax(perceptron(w, x)), weights,
                          self.array(f"images_{batch}"))

    def cnn(self, batch):
        weights = [jnp.asarray(w) for w in shared.weights(self.data, "cnn")]
        return self.modes(lambda w, x: jax.nn.softmax(convolutional(w, x)), weights,
                          self.array(f"images_{batch}"))

    def mlp_train(self, batch):
        return self.training("mlp", perceptron, batch)

    def cnn_train(self, batch):
        return self.training("cnn", convolutional, batch)

    def training(self, name, model, batch):
        x, labels = self.array(f"images_{batch}"), self.array(f"labels_{batch}")
        state = [[jnp.asarray(w) for w in shared.weights(self.data, name)]]

        def loss(weights):
            scores = jax.nn.log_softmax(model(weights, x))
            return -jnp.mean(jnp.take_along_axis(scores, labels[:, None], 1))

        def update(weights):
            value, gradients = jax.value_and_grad(loss)(weights)
            return value, [w - shared.RATE * g for w, g in zip(weights, gradients)]
        compiled = jax.jit(update, donate_argnums=0)

        def step():
            value, state[0] = compiled(state[0])
            return value.block_until_ready()
        return {"graph": step}

    def add(self):
        return self.modes(lambda x: x + x, self.array("four"), eager=True)

    def add_grad(self):
        gradient = jax.jit(jax.grad(lambda x: jnp.sum(x + x)))
        a = self.array("four")
        return {"graph": lambda: gradient(a).block_until_ready()}

    def function(self, name, side):
        x = self.array(f"matrix_{side}")
        rows = jnp.arange(x.shape[0]) * 7 % x.shape[0]
        functions = {
            "tanh_gelu": lambda t: 0.5 * t * (1 + jnp.tanh(0.7978845608 * (t + 0.044715 * t * t * t))),
            "softmax": lambda t: jax.nn.softmax(t, -1),
            "layer_norm": layer_norm,
            "logsumexp": lambda t: jax.nn.logsumexp(t, -1),
            "argmax": lambda t: jnp.argmax(t, -1),
            "cumsum": lambda t: jnp.cumsum(t, -1),
            "transpose": lambda t: t.T,
            "concat": lambda t: jnp.concatenate([t, t], 1),
            "gather": lambda t: t[rows],
            "sum": jnp.sum,
            "matmul": lambda t: t @ t,
        }
        return self.modes(functions[name], x)


def layer_norm(t):
    mean = jnp.mean(t, -1, keepdims=True)
    return (t - mean) * jax.lax.rsqrt(jnp.var(t, -1, keepdims=True) + 1e-3)


def dense(weights, x):
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2]):
        x = jax.nn.relu(x @ kernel + bias)
    return x @ weights[-2] + weights[-1]


def perceptron(weights, x):
    return dense(weights, x.reshape(x.shape[0], -1))


def convolutional(weights, x):
    x = x[..., None]
    for filters, bias in zip(weights[0:4:2], weights[1:4:2]):
        x = jax.lax.conv_general_dilated(x, filters, (1, 1), "SAME",
                                         dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jax.nn.relu(x + bias)
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return dense(weights[4:], x.reshape(x.shape[0], -1))
