#!/usr/bin/env python3
"""Writes the golden ONNX models of src/leaf/onnx/testdata: small node tests of the ONNX project,
made with the package onnx 1.23.2, each a model with its inputs and outputs as initializers of a
second, so that the unit test needs nothing but Weir.

usage: make_onnx.py      (with a Python that has the package onnx)
"""

import pathlib
import warnings

import numpy as np
import onnx
from onnx.backend.test.loader import load_model_tests

NAMES = """test_add_bcast test_gemm_all_attributes test_basic_conv_with_padding test_averagepool_2d_ceil
test_convtranspose_pads test_if test_loop11 test_scan9_sum test_lstm_with_initial_bias
test_resize_downsample_scales_linear test_cast_FLOAT_to_FLOAT8E4M3FN test_slice_neg_steps
test_nonmaxsuppression_suppress_by_IOU test_softmax_axis_1 test_scatter_elements_with_axis
test_quantizelinear test_reduce_sum_keepdims_example test_maxpool_with_argmax_2d_precomputed_pads""".split()
TARGET = pathlib.Path(__file__).resolve().parents[2] / "src/leaf/onnx/testdata"


def values(case, kind, infos, data):
    tensors = []
    for i, (info, value) in enumerate(zip(infos, data)):
        tensor = value
        if not isinstance(value, onnx.TensorProto):
            tensor = onnx.numpy_helper.from_array(np.asarray(value))
        tensor.name = f"{kind}_{i}"
        tensors.append(tensor)
    return tensors


def main():
    warnings.simplefilter("ignore")
    TARGET.mkdir(exist_ok=True)
    cases = {c.name: c for c in load_model_tests(kind="node")}
    for name in NAMES:
        case = cases[name]
        inputs, outputs = case.data_sets[0]
        graph = case.model.graph
        data = onnx.helper.make_graph([], "data", [], [],
                                      initializer=values(case, "input", graph.input, inputs) +
                                      values(case, "output", graph.output, outputs))
        (TARGET / f"{name}.onnx").write_bytes(case.model.SerializeToString())
        model = onnx.helper.make_model(data, ir_version=8,
                                       opset_imports=[onnx.helper.make_opsetid("", 17)])
        (TARGET / f"{name}.data").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
