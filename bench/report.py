#!/usr/bin/env python3
"""Prints one table of the results that benchmark programs left as JSON.

    report.py FOLDER
"""

import json
import pathlib
import sys

# What Google Benchmark itself writes into a result.
OWN = {
    "name", "run_name", "run_type", "repetitions", "repetition_index", "threads", "iterations",
    "real_time", "cpu_time", "time_unit", "family_index", "per_family_instance_index",
    "aggregate_name", "aggregate_unit", "error_occurred", "error_message",
}


def case_name(run):
    return run["run_name"].split("/iterations:")[0]


def figures(path):
    """The figure of each case of one file, which is empty if no case matched: {name: run}."""
    text = path.read_text()
    runs = json.loads(text)["benchmarks"] if text.strip() else []
    return {case_name(r): r for r in runs if r.get("aggregate_name") == "low"}


def row(name, run):
    ratio = f"{run['x_floor']:9.3f}" if "x_floor" in run else " " * 9
    others = {k: v for k, v in run.items() if k not in OWN | {"x_floor", "gated"}}
    text = " ".join(f"{k}={v:g}" for k, v in others.items())
    noisy = "" if run.get("gated", 1) == 1 else "NOISY "
    return f"{name:44} {run['real_time']:12.4f} {ratio}  {noisy}{text}"


def main():
    folder = pathlib.Path(sys.argv[1])
    print(f"{'case':44} {'time (us)':>12} {'x floor':>9}  figures of one call")
    for path in sorted(folder.glob("*.json")):
        for name, run in figures(path).items():
            print(row(name, run))


if __name__ == "__main__":
    main()
