#!/usr/bin/env python3
"""How long compiling takes: an example (one unit, -O2, processor time, the least of several runs), and
the library after one op was touched (a build that is up to date, on all processors, by the clock).

    compile_time.py BUILD_FOLDER RESULT.json [SOURCE]
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNS = 5
OP = ROOT / "src/ops/math/arithmetic.cpp"


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compile_example(build, source):
    command = [os.environ.get("CXX", "g++"), "-std=c++20", "-O2", "-I", ROOT / "include",
               "-I", build / "generated/include", "-c", source, "-o", os.devnull]
    return min(processor_seconds(command) for _ in range(RUNS))


def rebuild_after_touch(build):
    """What a new modification time sets off; no compiler cache may answer."""
    command = ["cmake", "--build", build, "--target", "weir"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    OP.touch()
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                   env=os.environ | {"CCACHE_DISABLE": "1"})
    return time.monotonic() - start


def result(name, seconds, **figures):
    print(f"{name:44} {seconds:12.2f} s")
    return {"run_name": name, "aggregate_name": "low", "real_time": seconds * 1e6, **figures}


def program_size(build):
    path = build / "bin/weir"
    return {"MB_weir": round(path.stat().st_size / 1e6, 2)} if path.exists() else {}


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    source = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else ROOT / "examples/eager_vs_graph.cpp")
    results = [result(f"compile/{source.stem}", compile_example(build, source), **program_size(build))]
    if len(sys.argv) <= 3:
        results.append(result("rebuild/one_op", rebuild_after_touch(build)))
    pathlib.Path(sys.argv[2]).write_text(json.dumps({"benchmarks": results}))


if __name__ == "__main__":
    main()
