#!/usr/bin/env python3
"""Compares two builds, case by case: their programs run by turns, a few rounds at a time.

    compare.py BASE_BUILD NEW_BUILD [REGEX]

A ratio is new / base of the medians over the turns; below 1 the new build is faster. The last
column is the spread of the turns' ratios: differences within it mean nothing.
"""

import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

import report

TURNS = 6
ROUNDS = "6"  # of every case in one turn


def run(program, regex, folder):
    result = pathlib.Path(folder) / "result.json"
    result.unlink(missing_ok=True)
    subprocess.run([program, f"--benchmark_filter={regex}", "--benchmark_out_format=json",
                    f"--benchmark_out={result}"],
                   env=os.environ | {"WEIR_BENCH_ROUNDS": ROUNDS}, stdout=subprocess.DEVNULL,
                   check=True)
    if not result.exists():
        return {}
    return {name: run["real_time"] for name, run in report.figures(result).items()}


def compare(base, new, regex, folder):
    """{case: ([base seconds], [new seconds])} of two programs."""
    times = {}
    for _ in range(TURNS):
        turn = [(0, base), (1, new)]
        random.shuffle(turn)
        for side, program in turn:
            for name, value in run(program, regex, folder).items():
                times.setdefault(name, ([], []))[side].append(value)
    return times


def print_rows(times):
    for name, (base, new) in times.items():
        if not base or not new:
            print(f"{name:44} only in the {'new' if new else 'base'} build")
            continue
        a, b = statistics.median(base), statistics.median(new)
        ratios = sorted(n / o for o, n in zip(base, new))
        print(f"{name:44} {a:12.4f} {b:12.4f} {b / a:7.3f}   {ratios[0]:.3f} .. {ratios[-1]:.3f}")


def main():
    base, new = (pathlib.Path(p) / "bin" for p in sys.argv[1:3])
    regex = sys.argv[3] if len(sys.argv) > 3 else "."
    print(f"{'case':44} {'base (us)':>12} {'new (us)':>12} {'ratio':>7}   spread")
    with tempfile.TemporaryDirectory() as folder:
        for program in sorted(new.glob("bench_*")):
            if (base / program.name).exists():
                print_rows(compare(base / program.name, program, regex, folder))


if __name__ == "__main__":
    main()
