#!/usr/bin/env python3
"""Serves a log directory made by Weir with the real TensorBoard and checks every dashboard.

usage: tensorboard_check.py [--venv DIR] [--program FILE | --logdir DIR]

Without --logdir the program interop_write_log (default build/bin/interop_write_log) makes one, and
the values are checked as well; with --logdir every run, tag and dashboard found there must answer.
TensorBoard is installed from PyPI into a virtual environment outside the tree: --venv, or
$WEIR_TENSORBOARD_VENV, or $XDG_CACHE_HOME/weir/tensorboard. Both of TensorBoard's loaders are used.
"""

import argparse
import json
import math
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
GRAPH_OPTIONS = {"limit_attr_size": 1024, "large_attrs_key": "_too_large_attrs"}


def make_venv(path):
    """The environment's TensorBoard, installed if it is not there yet."""
    program = path / "bin" / "tensorboard"
    if not program.exists():
        venv.create(path, with_pip=True)
        # TensorBoard imports pkg_resources, which newer setuptools no longer bring.
        pip = [path / "bin" / "python", "-m", "pip", "install", "-q", "tensorboard", "setuptools<81"]
        subprocess.run(pip, check=True)
    return program


class Server:
    """A TensorBoard on a free port of the loopback interface, for the time of a `with`."""

    def __init__(self, program, logdir, fast):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = [program, "--logdir", logdir, "--host", "127.0.0.1", "--port", str(self.port),
                        f"--load_fast={'true' if fast else 'false'}", "--reload_interval=1"]

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=subprocess.STDOUT)
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait(timeout=20)

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/data/{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.read()

    def json(self, path, **query):
        return json.loads(self.get(path, **query))

    def post(self, path, body):
        url = f"http://127.0.0.1:{self.port}/data/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read())

    def wait_for(self, runs):
        """Waits until the runs are loaded, and a moment longer for the last records."""
        deadline = time.time() + 60
        while time.time() < deadline:
            try:
                if runs <= set(self.json("runs")):
                    time.sleep(2)
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        self.log.seek(0)
        sys.exit(f"TensorBoard shows not all of {sorted(runs)}:\n{self.log.read()}")


def expect(condition, what):
    if not condition:
        sys.exit(f"tensorboard_check: {what}")


def tags(server, plugin):
    """(run, tag) of everything a dashboard lists."""
    listing = server.json(f"plugin/{plugin}/tags")
    return [(run, tag) for run, entry in listing.items() for tag in entry]


def check_series(server):
    """Scalars and histograms: every tag gives points."""
    counts = {}
    for plugin, route in [("scalars", "scalars"), ("histograms", "histograms")]:
        for run, tag in tags(server, plugin):
            points = server.json(f"plugin/{plugin}/{route}", run=run, tag=tag)
            expect(points, f"{plugin} {run}/{tag} has no points")
            counts[plugin] = counts.get(plugin, 0) + 1
    for run, tag in tags(server, "histograms"):
        for _, _, buckets in server.json("plugin/histograms/histograms", run=run, tag=tag):
            expect(all(left <= right for left, right, _ in buckets), f"{tag}: edges go back")
        rows = server.json("plugin/distributions/distributions", run=run, tag=tag)
        expect(rows, f"distributions {run}/{tag} is empty")
    return counts


def check_images(server):
    count = 0
    for run, tag in tags(server, "images"):
        for sample in server.json("plugin/images/images", run=run, tag=tag, sample=0):
            picture = server.get(f"plugin/images/individualImage?{sample['query']}")
            expect(picture.startswith(b"\x89PNG"), f"{run}/{tag} is not a PNG")
            count += 1
    return count


def check_text(server):
    count = 0
    for run, run_tags in server.json("plugin/text/tags").items():
        for tag in run_tags:
            expect(server.json("plugin/text/text", run=run, tag=tag), f"text {run}/{tag} is empty")
            count += 1
    return count


def check_graphs(server):
    """Every graph has nodes, every profile parts."""
    count = 0
    for run, entry in server.json("plugin/graphs/info").items():
        if entry["run_graph"]:
            graph = server.get("plugin/graphs/graph", run=run, **GRAPH_OPTIONS)
            expect(b"node {" in graph, f"the graph of {run} is empty")
            count += 1
        for tag, kinds in entry["tags"].items():
            if kinds["op_graph"]:
                graph = server.get("plugin/graphs/graph", run=run, tag=tag, conceptual="false",
                                   **GRAPH_OPTIONS)
                expect(b"node {" in graph, f"the graph {run}/{tag} is empty")
                count += 1
            if kinds["profile"]:
                stats = server.get("plugin/graphs/run_metadata", run=run, tag=tag)
                expect(b"node_stats {" in stats, f"{run}/{tag} has no node statistics")
                count += 1
    return count


def check_values(server):
    """What interop_write_log wrote."""
    points = server.json("plugin/scalars/scalars", run="train", tag="epoch/loss")
    expect([p[1] for p in points] == list(range(20)), f"steps of epoch/loss: {points}")
    expect(all(math.isclose(p[2], 1 / (p[1] + 1), rel_tol=1e-6) for p in points), "epoch/loss")
    bad = server.json("plugin/scalars/scalars", run="train", tag="epoch/bad")
    expect(bad[0][2] == "NaN", f"NaN arrives as {bad[0][2]}")
    kernel = server.json("plugin/histograms/histograms", run="train", tag="dense/kernel")
    expect(len(kernel) == 3 and sum(b[2] for b in kernel[0][2]) == 6, "dense/kernel counts 6")
    expect((kernel[0][2][0][0], kernel[0][2][-1][1]) == (-1, 1), "dense/kernel spans -1..1")
    text = server.json("plugin/text/text", run="train", tag="notes")[0]["text"]
    expect("<strong>markdown</strong>" in text and "\u00e9" in text, f"text: {text}")
    check_graph_values(server)
    check_profile(server)
    check_hparams(server)


def check_graph_values(server):
    info = server.json("plugin/graphs/info")["train"]
    expect(info["run_graph"], "train has no run graph")
    expect(info["tags"]["traced"]["op_graph"], f"traced: {info['tags']}")
    expect(info["tags"]["optimised"]["profile"], f"optimised: {info['tags']}")
    expect(info["tags"]["step 7"]["profile"], f"step 7: {info['tags']}")
    graph = server.get("plugin/graphs/graph", run="train", tag="optimised",
                       **GRAPH_OPTIONS).decode()
    for part in ['name: "dense/Relu"', 'input: "dense/MatMul"', "_output_shapes", "CPU:0"]:
        expect(part in graph, f"the optimised graph lacks {part}")
    stats = server.get("plugin/graphs/run_metadata", run="train", tag="optimised").decode()
    expect(re.search(r'node_name: "dense/MatMul".*?all_end_rel_micros: 40\b', stats, re.S), stats)
    expect("total_bytes: 4096" in stats, "the memory of dense/MatMul")


def check_profile(server):
    """A profiled program: the times lie on nodes of the graph that is shown, the product's the longest."""
    info = server.json("plugin/graphs/info")["profile"]
    expect(info["run_graph"] and info["tags"]["profile"]["profile"], f"profile: {info}")
    for tag, query in [("profile", {}), ("ran", {"tag": "ran", "conceptual": "false"})]:
        graph = server.get("plugin/graphs/graph", run="profile", **query, **GRAPH_OPTIONS).decode()
        stats = server.get("plugin/graphs/run_metadata", run="profile", tag=tag).decode()
        micros = dict(re.findall(r'node_name: "([^"]+)".*?all_end_rel_micros: (\d+)', stats, re.S))
        expect(len(micros) == 3 and "layer/MatMul" in micros, f"{tag}: {micros}")
        for name, time_taken in micros.items():
            expect(f'name: "{name}"' in graph, f"{tag}: {name} is not in the graph")
            expect(0 < int(time_taken) <= int(micros["layer/MatMul"]), f"{tag}: {micros}")


def check_hparams(server):
    body = {"startIndex": 0, "sliceSize": 10, "colParams": [],
            "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"]}
    groups = server.post("plugin/hparams/session_groups", body)["sessionGroups"]
    expect(len(groups) == 1, f"hparams: {groups}")
    wanted = {"learning_rate": 0.01, "shuffle": True, "optimizer": "adam"}
    expect(groups[0]["hparams"] == wanted, f"hparams: {groups[0]['hparams']}")


def find_runs(logdir):
    files = pathlib.Path(logdir).rglob("*tfevents*")
    return {str(f.parent.relative_to(logdir)) for f in files}


def check(program, logdir, known):
    for fast in [False, True]:
        with Server(program, logdir, fast) as server:
            server.wait_for(find_runs(logdir))
            counts = check_series(server)
            counts["images"] = check_images(server)
            counts["text"] = check_text(server)
            counts["graphs"] = check_graphs(server)
            if known:
                check_values(server)
        name = "data server" if fast else "Python loader"
        print(f"tensorboard_check: {name}: " + ", ".join(f"{v} {k}" for k, v in counts.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("WEIR_TENSORBOARD_VENV") or CACHE / "weir" / "tensorboard"
    parser.add_argument("--venv", type=pathlib.Path, default=default)
    parser.add_argument("--program", default=ROOT / "build" / "bin" / "interop_write_log")
    parser.add_argument("--logdir")
    options = parser.parse_args()
    tensorboard = make_venv(pathlib.Path(options.venv))
    if options.logdir:
        check(tensorboard, options.logdir, known=False)
        return
    with tempfile.TemporaryDirectory() as logdir:
        subprocess.run([options.program, logdir], check=True)
        check(tensorboard, logdir, known=True)


if __name__ == "__main__":
    main()
