"""The side of a measured process: reads commands from standard input, one a line.

    python worker.py FRAMEWORK THREADS DATA.npz

    prepare CASE             -> modes NAME...        (none: this framework does not take part)
    output CASE MODE FILE N  -> done                 results of N calls, as .npy
    time CASE MODE SECONDS   -> CALLS SECONDS        of calls that fill about SECONDS
    quit
"""

import importlib
import os
import sys
import time

import numpy


class Worker:
    def __init__(self, framework, threads, data):
        self.peer = importlib.import_module(f"{framework}_peer").Peer(threads, data)
        self.modes = {}
        self.calls = {}

    def prepare(self, case):
        make = getattr(self.peer, case.split("/")[0], None)
        self.modes[case] = make(*case.split("/")[1:]) if make else {}
        return " ".join(["modes", *self.modes[case]])

    def output(self, case, mode, path, count):
        call = self.modes[case][mode]
        numpy.save(path, numpy.stack([self.peer.to_numpy(call()) for _ in range(int(count))]))
        return "done"

    def time(self, case, mode, seconds):
        call, seconds = self.modes[case][mode], float(seconds)
        calls = self.calls.get((case, mode)) or self.calls_that_fill(call, seconds)
        self.calls[case, mode] = calls
        return f"{calls} {repeat(call, calls)}"

    @staticmethod
    def calls_that_fill(call, seconds):
        repeat(call, 3)  # compilers and caches
        calls = 1
        while (taken := repeat(call, calls)) < seconds / 4:
            calls *= 2
        return max(1, round(calls * seconds / taken))


def repeat(call, count):
    begin = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - begin


def main():
    framework, threads, path = sys.argv[1:4]
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what frameworks print is not an answer
    worker = Worker(framework, int(threads), dict(numpy.load(path)))
    for line in sys.stdin:
        verb, *arguments = line.split()
        if verb == "quit":
            return
        try:
            answers.write(getattr(worker, verb)(*arguments) + "\n")
        except Exception as error:  # the run goes on without this framework
            answers.write(f"error {type(error).__name__}: {str(error).splitlines()[0]}\n")


if __name__ == "__main__":
    main()
