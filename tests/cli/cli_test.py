#!/usr/bin/env python3
"""Runs the command line: exit codes, messages on stderr, files. Usage: cli_test.py PATH_OF_WEIR"""

import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

WEIR = None


def weir(*arguments, env=None):
    return subprocess.run([WEIR, *arguments], capture_output=True, text=True, timeout=240,
                          env={**os.environ, **(env or {})})


def error_line(result):
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


class Usage(unittest.TestCase):
    def test_help_names_the_verbs(self):
        result = weir("--help")
        self.assertEqual(result.returncode, 0)
        for verb in ("bench", "demo", "run", "show", "devices", "ops"):
            self.assertIn(verb, result.stdout)

    def test_wrong_usage_is_2(self):
        for arguments in ((), ("fly",), ("run",), ("demo", "--threads", "0"), ("run", "m", "--input", "x")):
            self.assertEqual(weir(*arguments).returncode, 2, arguments)

    def test_devices(self):
        result = weir("devices")
        self.assertEqual(result.returncode, 0)
        self.assertIn("CPU:0", result.stdout)

    def test_isa_is_forced(self):
        self.assertIn("baseline", weir("devices", env={"WEIR_ISA": "baseline"}).stdout)

    def test_ops(self):
        self.assertIn("MatMul", weir("ops").stdout)
        self.assertIn("weir::relu", weir("ops", "Relu").stdout)
        self.assertIn("MatMul: weir::", weir("ops", "matmul").stdout)
        self.assertEqual(weir("ops", "MatMull").returncode, 3)


ONNX = pathlib.Path(__file__).resolve().parents[2] / "src/leaf/onnx/testdata"


class OnnxModels(unittest.TestCase):
    def test_a_model_is_shown(self):
        result = weir("show", str(ONNX / "test_gemm_all_attributes.onnx"), "--nodes")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("float32[4, 3]", result.stdout)
        self.assertIn("MatMul", result.stdout)

    def test_a_model_is_run(self):
        model = str(ONNX / "test_softmax_axis_1.onnx")
        with tempfile.TemporaryDirectory() as folder:
            x = pathlib.Path(folder, "x.npy")
            header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5), }"
            header += b" " * (117 - len(header)) + b"\n"
            x.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(240))
            result = weir("run", model, "--input", f"x={x}", "--output-dir", folder)
            self.assertEqual(result.returncode, 0, result.stderr)
            values = struct.unpack("<60f", pathlib.Path(folder, "y.npy").read_bytes()[-240:])
            self.assertEqual(set(values), {0.25})

    def test_a_damaged_model_is_1(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "bad.onnx")
            path.write_bytes((ONNX / "test_loop11.onnx").read_bytes()[:-30])
            result = weir("run", str(path), "--output-dir", folder)
            self.assertEqual(result.returncode, 1)
            self.assertIn("bad.onnx", error_line(result))

    def test_an_op_that_is_missing_is_3(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "new.onnx")
            model = (ONNX / "test_softmax_axis_1.onnx").read_bytes()
            path.write_bytes(model.replace(b"Softmax", b"Hardest"))
            result = weir("show", str(path))
            self.assertEqual(result.returncode, 3)
            self.assertIn("unsupported", error_line(result))
            self.assertIn("Hardest", result.stderr)


class BadInput(unittest.TestCase):
    def test_a_model_that_is_not_there(self):
        result = weir("run", "/nonexistent/model", "--output-dir", "/tmp")
        self.assertEqual(result.returncode, 1)
        self.assertTrue(error_line(result).startswith("weir: error:"), result.stderr)
        self.assertIn("/nonexistent/model", result.stderr)

    def test_a_model_that_is_damaged(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "saved_model.pb").write_bytes(b"\xff\xff\xff\xff not a protobuf")
            result = weir("show", folder)
            self.assertEqual(result.returncode, 1)
            self.assertTrue(error_line(result).startswith("weir: error:"), result.stderr)


class Run(unittest.TestCase):
    def test_outputs_whose_names_look_alike_have_files_of_their_own(self):
        """testdata/two_outputs: "a/b" is -x, "a_b" is |x|."""
        model = pathlib.Path(__file__).parent / "testdata" / "two_outputs"
        with tempfile.TemporaryDirectory() as folder:
            header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".ljust(117) + "\n"
            x = pathlib.Path(folder, "x.npy")
            x.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                          + struct.pack("<2f", 1, -2))
            result = weir("run", str(model), "--input", f"x={x}", "--output-dir", folder)
            self.assertEqual(result.returncode, 0, result.stderr)
            values = {f.name: struct.unpack("<2f", f.read_bytes()[-8:])
                      for f in pathlib.Path(folder).glob("a*.npy")}
            self.assertEqual(values, {"a_b.npy": (1, 2), "a_b-2.npy": (-1, 2)})


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.out = pathlib.Path(cls.folder.name)
        cls.result = weir("demo", "--json", str(cls.out / "figures.json"), "--output-dir", str(cls.out / "out"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_figures(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        figures = json.loads((self.out / "figures.json").read_text())
        self.assertTrue(figures["bitwise_equal"])
        self.assertTrue(figures["training_bitwise_equal"])
        self.assertTrue(figures["saved_graph_equal"])
        self.assertGreaterEqual(figures["test_accuracy"], 0.97)
        for batch in ("100", "1"):
            t = figures["timing"][batch]
            for key in ("eager_us", "graph_us", "floor_us", "kernels_per_call", "peak_bytes"):
                self.assertGreater(t[key], 0, key)
            self.assertLess(t["nodes_optimised"], t["nodes_traced"])

    def test_logs_and_model(self):
        out = self.out / "out"
        for run in ("train", "validation", "graph"):
            self.assertTrue(list((out / "logs" / run).glob("events.out.tfevents.*")), run)
        self.assertTrue((out / "digits_model" / "saved_model.pb").is_file())

    def test_the_saved_model_is_run_and_shown(self):
        model = str(self.out / "out" / "digits_model")
        shown = weir("show", model, "--passes", "--nodes")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("serving_default", shown.stdout)
        self.assertIn("fuse_contractions", shown.stdout)
        self.assertTrue(weir("show", model, "--dot").stdout.startswith("digraph"))
        plan = weir("show", model, "--plan", "--shape", "image=32,8,8").stdout
        self.assertIn("MatMul", plan)
        self.assertNotIn("host", plan)
        self.assertEqual(weir("show", model, "--plan", "--shape", "image=32,8,9").returncode, 1)
        self.assertEqual(weir("show", model, "--plan", "--shape", "picture=1,8,8").returncode, 1)
        self.assertEqual(weir("show", model, "--plan", "--shape", "image=a").returncode, 2)
        image = "image=" + str(self.out / "out" / "image.npy")
        result = weir("run", model, "--input", image, "--output-dir", str(self.out / "again"), "--threads", "1")
        self.assertEqual(result.returncode, 0, result.stderr)
        first = (self.out / "out" / "run" / "probabilities.npy").read_bytes()
        self.assertEqual(first, (self.out / "again" / "probabilities.npy").read_bytes())

    def test_bench_times_the_saved_model(self):
        model = str(self.out / "out" / "digits_model")
        image = "image=" + str(self.out / "out" / "image.npy")
        trace, logs = self.out / "trace.json", self.out / "bench_logs"
        result = weir("bench", model, "--batch", "32", "--calls", "20", "--threads", "1", "--profile",
                      "--trace", str(trace), "--logdir", str(logs))
        self.assertEqual(result.returncode, 0, result.stderr)
        for row in ("eager", "graph"):
            self.assertRegex(result.stdout, rf"(?m)^{row} +\d+\.\d +\d+\.\d +\d+\.\d\d$")
        planned, counted = re.search(r"peak bytes (\d+) planned, (\d+) counted", result.stdout).groups()
        self.assertEqual(planned, counted)
        self.assertRegex(result.stdout, r"(?m)^step +MatMul\+\S+ +\d+ ")
        events = json.loads(trace.read_text())["traceEvents"]
        self.assertTrue(any(e["ph"] == "X" and e["cat"] == "step" and e["args"]["flops"] > 0 for e in events))
        self.assertTrue(list(logs.glob("events.out.tfevents.*")))
        self.assertEqual(weir("bench", model, "--input", image, "--calls", "2").returncode, 0)

    def test_bench_refuses_what_it_cannot_do(self):
        model = str(self.out / "out" / "digits_model")
        for arguments, code in (((model, "--calls", "0"), 2), ((model, "--batch", "0"), 2), ((), 2),
                                ((model, "--input", "picture=" + str(self.out / "out" / "image.npy")), 1),
                                ((model, "--signature", "other"), 1), (("/nonexistent/model",), 1),
                                ((model, "--calls", "2", "--trace", "/proc/nowhere/trace.json"), 1)):
            self.assertEqual(weir("bench", *arguments).returncode, code, arguments)

    def test_wrong_inputs_name_the_right_ones(self):
        model = str(self.out / "out" / "digits_model")
        image = str(self.out / "out" / "image.npy")
        for arguments in (("--input", "picture=" + image), (), ("--signature", "other", "--input", "image=" + image)):
            result = weir("run", model, *arguments, "--output-dir", str(self.out / "wrong"))
            self.assertEqual(result.returncode, 1, arguments)
            self.assertTrue(error_line(result).startswith("weir: error:"), result.stderr)

    def test_an_output_that_cannot_be_written(self):
        model = str(self.out / "out" / "digits_model")
        image = "image=" + str(self.out / "out" / "image.npy")
        result = weir("run", model, "--input", image, "--output-dir", "/proc/nowhere")
        self.assertEqual(result.returncode, 1)
        self.assertTrue(error_line(result).startswith("weir: error:"), result.stderr)
        result = weir("demo", "--no-train", "--json", "/proc/nowhere/figures.json")
        self.assertEqual(result.returncode, 1)

    def test_a_model_that_did_not_learn_is_a_failure(self):
        result = weir("demo", "--epochs", "1", "--output-dir", str(self.out / "short"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("test_accuracy 0.", error_line(result))

    def test_training_shows_its_progress(self):
        lines = [line for line in self.result.stdout.splitlines() if line.startswith("Epoch ")]
        self.assertEqual(len(lines), 20, self.result.stdout)
        self.assertRegex(lines[0], r"^Epoch 1/20 - 45/45 - \d+\.\ds - loss: \d.* - accuracy: 0\.\d")


if __name__ == "__main__":
    WEIR = sys.argv.pop(1)
    unittest.main(verbosity=1)
