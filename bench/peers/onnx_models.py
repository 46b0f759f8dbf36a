"""The models as ONNX graphs, for the runtimes that read them."""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

import data as shared


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        return name

    def add(self, op, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def dense(self, x, weights):
        for i in range(0, len(weights), 2):
            x = self.add("Gemm", x, self.constant(weights[i]), self.constant(weights[i + 1]))
            if i + 2 < len(weights):
                x = self.add("Relu", x)
        return self.add("Softmax", x, axis=-1)

    def finish(self, y, shape):
        self.nodes.append(helper.make_node("Identity", [y], ["y"]))
        graph = helper.make_graph(
            self.nodes, "model", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [shape[0], 10])], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model.SerializeToString()


def mlp(data, batch):
    g = Graph()
    return g.finish(g.dense(g.add("Flatten", "x"), shared.weights(data, "mlp")), [batch, 28, 28])


def cnn(data, batch):
    g = Graph()
    weights = shared.weights(data, "cnn")
    x = g.add("Reshape", "x", g.constant(numpy.array([batch, 1, 28, 28])))
    for filters, bias in zip(weights[0:4:2], weights[1:4:2]):
        x = g.add("Conv", x, g.constant(filters.transpose(3, 2, 0, 1)), g.constant(bias),
                  pads=[1, 1, 1, 1])
        x = g.add("MaxPool", g.add("Relu", x), kernel_shape=[2, 2], strides=[2, 2])
    x = g.add("Flatten", g.add("Transpose", x, perm=[0, 2, 3, 1]))
    return g.finish(g.dense(x, weights[4:]), [batch, 28, 28])
