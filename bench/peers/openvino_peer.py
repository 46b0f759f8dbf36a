"""OpenVINO, tuned for latency, in float32 and in the precision that it would choose."""

import numpy
import openvino

import onnx_models


class Peer:
    def __init__(self, threads, data):
        self.data, self.threads = data, threads
        self.core = openvino.Core()

    to_numpy = staticmethod(numpy.asarray)

    def request(self, model, batch, precision):
        compiled = self.core.compile_model(
            self.core.read_model(model, b""), "CPU",
            {"INFERENCE_NUM_THREADS": self.threads, "PERFORMANCE_HINT": "LATENCY",
             "INFERENCE_PRECISION_HINT": precision})
        request = compiled.create_infer_request()
        request.set_input_tensor(openvino.Tensor(self.data[f"images_{batch}"], shared_memory=True))

        def call():
            request.infer()
            return request.get_output_tensor().data
        return call

    def modes(self, model, batch):
        return {"graph": self.request(model, batch, "f32"),
                "bf16": self.request(model, batch, "bf16")}

    def mlp(self, batch):
        return self.modes(onnx_models.mlp(self.data, int(batch)), batch)

    def cnn(self, batch):
        return self.modes(onnx_models.cnn(self.data, int(batch)), batch)
