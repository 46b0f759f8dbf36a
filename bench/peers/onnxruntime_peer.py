"""ONNX Runtime, with all graph optimisations."""

import numpy
import onnxruntime

import onnx_models


class Peer:
    def __init__(self, threads, data):
        self.data = data
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1
        self.options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL

    to_numpy = staticmethod(numpy.asarray)

    def session(self, model, batch):
        session = onnxruntime.InferenceSession(model, self.options, ["CPUExecutionProvider"])
        inputs = {"x": self.data[f"images_{batch}"]}
        return {"graph": lambda: session.run(None, inputs)[0]}

    def mlp(self, batch):
        return self.session(onnx_models.mlp(self.data, int(batch)), batch)

    def cnn(self, batch):
        return self.session(onnx_models.cnn(self.data, int(batch)), batch)
