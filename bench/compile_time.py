#!/usr/bin/env python3
"""How long a compiler takes for an example: one unit, -O2, the least of several runs.

    compile_time.py BUILD_FOLDER RESULT.json [SOURCE]
"""

import json
import os
import pathlib
import resource
import subprocess
import sys

RUNS = 5


def compile_once(command):
    """Seconds of processor time that the compiler took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    build = pathlib.Path(sys.argv[1])
    source = sys.argv[3] if len(sys.argv) > 3 else root / "examples/eager_vs_graph.cpp"
    command = [os.environ.get("CXX", "g++"), "-std=c++20", "-O2", "-I", root / "include",
               "-I", build / "generated/include", "-c", source, "-o", os.devnull]
    seconds = sorted(compile_once(command) for _ in range(RUNS))
    name = f"compile/{pathlib.Path(source).stem}"
    result = {"run_name": name, "aggregate_name": "low", "real_time": seconds[0] * 1e6}
    for program in ("weir",):
        path = build / "bin" / program
        if path.exists():
            result[f"MB_{program}"] = round(path.stat().st_size / 1e6, 2)
    pathlib.Path(sys.argv[2]).write_text(json.dumps({"benchmarks": [result]}))
    print(f"{name:44} {seconds[0]:12.2f} s")


if __name__ == "__main__":
    main()
