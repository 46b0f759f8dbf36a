#!/usr/bin/env python3
"""Measures Weir and other frameworks by turns and writes docs/performance.md.

Every framework is a process for each number of threads, pinned to that many processors; it keeps
the models ready and runs those that it is told to. Rounds of all cases and frameworks alternate in
random order. Each sample stands between two measurements of the machine's multiply-add peak, and
counts if both reach a share of the best one of the run.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

import numpy

import data as shared
import document

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAMS = pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build"))
FRAMEWORKS = ["weir", "tensorflow", "tensorflow_c", "torch", "libtorch", "jax", "onnxruntime",
              "openvino"]
FUNCTIONS = ["tanh_gelu", "softmax", "layer_norm", "logsumexp", "argmax", "cumsum", "transpose",
             "concat", "gather", "sum", "matmul"]
CASES = ["mlp/100", "mlp/1", "mlp_train/100", "cnn/32", "cnn_train/32", "add", "add_grad",
         *(f"function/{f}/{n}" for f in FUNCTIONS for n in (16, 1024))]
SAMPLE_SECONDS = 6e-3
GATE = 0.92
MAX_TRIES = 12
# Largest difference to Weir's result, relative to its largest element.
TOLERANCE = {"bf16": 3e-2}


class Process:
    """One framework at one number of threads."""

    def __init__(self, framework, threads, data):
        self.framework = framework
        self.process = subprocess.Popen(
            ["taskset", "-c", f"0-{threads - 1}", *self.command(framework, threads, data)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    @staticmethod
    def command(framework, threads, data):
        folder = pathlib.Path(data).parent
        programs = {"weir": (PROGRAMS / "bin/weir_bench_worker", data),
                    "libtorch": (PROGRAMS / "peers/libtorch_worker", folder / "data.pt"),
                    "tensorflow_c": (PROGRAMS / "peers/tensorflow_c_worker", folder)}
        if framework in programs:
            program, argument = programs[framework]
            return [str(program), str(threads), str(argument)]
        return [sys.executable, str(HERE / "worker.py"), framework, str(threads), str(data)]

    def ask(self, *words):
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        return answer or "error the process has ended"

    def stop(self):
        try:
            self.process.communicate("quit\n", timeout=20)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()


class Series:
    """The samples of one mode of one framework on one case."""

    def __init__(self, process, case, mode):
        self.process, self.case, self.mode = process, case, mode
        self.seconds, self.work, self.forced = [], [], 0

    def sample(self):
        words = self.process.ask("time", self.case, self.mode, SAMPLE_SECONDS).split()
        if words[0] == "error":
            return None
        return float(words[1]) / int(words[0])

    def result(self):
        low = lambda v: statistics.median(sorted(v)[:max(1, len(v) // 4)])  # noqa: E731
        work = shared.flops(self.case)
        return {"us": low(self.seconds) * 1e6, "floor": low(self.work) / work if work else None,
                "rounds": len(self.seconds), "noisy": self.forced}


class Run:
    def __init__(self, threads, arguments, folder):
        self.threads, self.arguments = threads, arguments
        self.data, self.folder = shared.make(), pathlib.Path(folder)
        numpy.savez(self.folder / "data.npz", **self.data)
        if {"libtorch", "tensorflow_c"} & set(arguments.frameworks):
            subprocess.run([sys.executable, HERE / "export.py", self.folder / "data.npz", folder],
                           check=True, stderr=subprocess.DEVNULL)
        self.processes = [Process(f, threads, self.folder / "data.npz")
                          for f in arguments.frameworks]
        self.weir = self.processes[0]
        self.best = max(float(self.weir.ask("calibrate")) for _ in range(50))
        self.problems = []

    def series(self, case):
        """Prepares a case everywhere; what takes part, and agrees with Weir."""
        found, expected = [], None
        for process in self.processes:
            answer = process.ask("prepare", case).split()
            if answer[0] == "error":
                self.problem(process, case, "", " ".join(answer[1:]))
                continue
            for mode in answer[1:]:
                got = self.output(process, case, mode)
                expected = got if expected is None else expected
                if got is not None and self.agrees(process, case, mode, got, expected):
                    found.append(Series(process, case, mode))
        return found

    def output(self, process, case, mode):
        path = self.folder / f"{process.framework}.npy"
        count = 5 if "train" in case else 1
        answer = process.ask("output", case, mode, path, count)
        if answer != "done":
            return self.problem(process, case, mode, answer)
        return numpy.load(path).astype(numpy.float64)

    def agrees(self, process, case, mode, got, expected):
        scale = max(1e-30, abs(expected).max())
        if got.shape == expected.shape:
            error = abs(got - expected).max() / scale
            if error <= TOLERANCE.get(mode, 2e-4):
                return True
        else:
            error = f"shape {got.shape}, expected {expected.shape}"
        self.problem(process, case, mode, f"differs from Weir: {error}")
        return False

    def problem(self, process, case, mode, text):
        self.problems.append(f"{process.framework} {mode} {case} ({self.threads}T): {text}")
        print(self.problems[-1], file=sys.stderr)

    def round(self, series):
        """Samples until one counts."""
        for attempt in range(MAX_TRIES):
            before = float(self.weir.ask("calibrate"))
            seconds = series.sample()
            after = float(self.weir.ask("calibrate"))
            if seconds is None:
                return
            self.best = max(self.best, before, after)
            if min(before, after) >= GATE * self.best:
                break
        else:
            series.forced += 1
        series.seconds.append(seconds)
        series.work.append(seconds * (before + after) / 2)  # flops at the peak

    def measure(self, cases):
        everything = [s for case in cases for s in self.series(case)]
        print(f"{self.threads} threads: {len(everything)} series are ready", file=sys.stderr)
        for _ in range(self.arguments.rounds):
            for series in random.sample(everything, len(everything)):
                self.round(series)
        results = {}
        for s in everything:
            if s.seconds:
                results.setdefault(s.case, {})[f"{s.process.framework} {s.mode}"] = s.result()
        return results

    def stop(self):
        for process in self.processes:
            process.stop()


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=32)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--frameworks", nargs="*", default=FRAMEWORKS)
    parser.add_argument("--cases", nargs="*", default=CASES)
    parser.add_argument("--json", default=str(PROGRAMS / "bench/peers.json"))
    parser.add_argument("--no-document", action="store_true")
    arguments = parser.parse_args()
    if arguments.frameworks[0] != "weir":
        arguments.frameworks.insert(0, "weir")
    return arguments


def main():
    arguments = parse()
    results = {"threads": {}, "problems": [], "rounds": arguments.rounds}
    for threads in arguments.threads:
        with tempfile.TemporaryDirectory() as folder:
            run = Run(threads, arguments, folder)
            results["threads"][str(threads)] = run.measure(arguments.cases)
            results["problems"] += run.problems
            results.setdefault("peak_gflops", {})[str(threads)] = run.best / 1e9
            run.stop()
    results["versions"] = document.versions()
    path = pathlib.Path(arguments.json)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1))
    print(document.tables(results))
    if not arguments.no_document:
        document.write(results, ROOT / "docs")


if __name__ == "__main__":
    main()
