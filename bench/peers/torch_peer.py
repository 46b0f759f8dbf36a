"""PyTorch: eager, and torch.compile with its best-tuned mode."""

import torch
import torch.nn.functional as F

import data as shared


class Peer:
    def __init__(self, threads, data):
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        self.data = data

    def tensor(self, name):
        return torch.from_numpy(self.data[name])

    @staticmethod
    def to_numpy(t):
        return t.detach().numpy()

    def modes(self, run, *arguments, graph=True):
        def eager():
            with torch.inference_mode():
                return run(*arguments)
        if not graph:
            return {"eager": eager}
        compiled = torch.compile(run, mode="max-autotune-no-cudagraphs")

        def graph_call():
            with torch.inference_mode():
                return compiled(*arguments)
        return {"eager": eager, "graph": graph_call}

    # -- models --
    def mlp(self, batch):
        return self.modes(self.perceptron(softmax=True), self.tensor(f"images_{batch}"))

    def mlp_train(self, batch):
        return self.training(self.perceptron(softmax=False), self.tensor(f"images_{batch}"), batch)

    def cnn(self, batch):
        model = self.convolutional(softmax=True)
        return self.modes(model, self.image(batch))

    def cnn_train(self, batch):
        return self.training(self.convolutional(softmax=False), self.image(batch), batch)

    def image(self, batch):
        x = self.tensor(f"images_{batch}").unsqueeze(1)
        return x.to(memory_format=torch.channels_last)

    def linear(self, kernel, bias):
        layer = torch.nn.Linear(*kernel.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(kernel.T.copy()))
            layer.bias.copy_(torch.from_numpy(bias))
        return layer

    def dense(self, weights):
        layers = []
        for kernel, bias in zip(weights[::2], weights[1::2]):
            layers += [self.linear(kernel, bias), torch.nn.ReLU()]
        return layers[:-1]

    def perceptron(self, softmax):
        layers = [torch.nn.Flatten(), *self.dense(shared.weights(self.data, "mlp"))]
        return torch.nn.Sequential(*layers, *([torch.nn.Softmax(-1)] if softmax else []))

    def convolutional(self, softmax):
        weights = shared.weights(self.data, "cnn")
        layers = []
        for filters, bias in zip(weights[0:4:2], weights[1:4:2]):
            conv = torch.nn.Conv2d(*filters.shape[2:], 3, padding="same")
            with torch.no_grad():
                conv.weight.copy_(torch.from_numpy(filters.transpose(3, 2, 0, 1).copy()))
                conv.bias.copy_(torch.from_numpy(bias))
            layers += [conv, torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        layers += [ToNhwc(), torch.nn.Flatten(), *self.dense(weights[4:])]
        model = torch.nn.Sequential(*layers, *([torch.nn.Softmax(-1)] if softmax else []))
        return model.to(memory_format=torch.channels_last)

    def training(self, model, x, batch):
        labels = self.tensor(f"labels_{batch}").long()
        parameters = list(model.parameters())
        sgd = torch.optim.SGD(parameters, lr=shared.RATE, foreach=True)

        def step():
            sgd.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(x), labels)
            loss.backward()
            sgd.step()
            return loss
        return {"eager": step}

    # -- single ops --
    def add(self):
        a = self.tensor("four")
        return self.modes(lambda x: x + x, a, graph=False)

    def add_grad(self):
        a = self.tensor("four").requires_grad_()
        ones = torch.ones(4)

        def call():
            return torch.autograd.grad(a + a, a, ones)[0]
        return {"eager": call}

    def function(self, name, side):
        x = self.tensor(f"matrix_{side}")
        n = x.shape[0]
        rows = torch.arange(n) * 7 % n
        functions = {
            "tanh_gelu": lambda t: 0.5 * t * (1 + torch.tanh(0.7978845608 * (t + 0.044715 * t * t * t))),
            "softmax": lambda t: torch.softmax(t, -1),
            "layer_norm": lambda t: F.layer_norm(t, (n,), eps=1e-3),
            "logsumexp": lambda t: torch.logsumexp(t, -1),
            "argmax": lambda t: torch.argmax(t, -1),
            "cumsum": lambda t: torch.cumsum(t, -1),
            "transpose": lambda t: t.t().contiguous(),
            "concat": lambda t: torch.cat([t, t], 1),
            "gather": lambda t: t.index_select(0, rows),
            "sum": lambda t: torch.sum(t),
            "matmul": lambda t: t @ t,
        }
        return self.modes(functions[name], x, graph=name == "tanh_gelu" or name == "softmax")


class ToNhwc(torch.nn.Module):
    """The order of elements that Flatten gives in TensorFlow."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1)
