#!/usr/bin/env python3
"""Compares Weir's op definitions with TensorFlow's registry: what files depend on must be the same.

usage: op_defs_check.py [--program FILE]        (with a Python that has TensorFlow)

Checked for every op that TensorFlow has too: the order and types of inputs, the names and types of
outputs, that attributes exist there with the same kind, and that each attribute without default is written.
Prints one line per difference; exit status 1 if there is any.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
from tensorflow.python.framework import op_def_registry  # noqa: E402

import tensorflow  # noqa: E402,F401  (registers the ops)

ROOT = pathlib.Path(__file__).resolve().parents[2]


def args_of(op_args):
    """(name, type, count) as dump_ops writes them."""
    return [(a.name, a.type_attr or a.type_list_attr or a.type, a.number_attr) for a in op_args]


def describe(args):
    return ", ".join(f"{n}:{t}{'*' + c if c else ''}" for n, t, c in args)


def same_type(have, want, attrs):
    """Equal, or the one type that Weir has is the default of TensorFlow's attribute."""
    default = next((a.default_value.type for a in attrs if a.name == want), 0)
    return have == want or (isinstance(have, int) and have == default)


def same_args(have, want, attrs, names):
    return len(have) == len(want) and all(
        h[2] == w[2] and same_type(h[1], w[1], attrs) and (h[0] == w[0] or not names)
        for h, w in zip(have, want))


def differences(op):
    theirs = op_def_registry.get(op["name"])
    if theirs is None:
        return None
    found = []
    for kind, their_args in [("inputs", theirs.input_arg), ("outputs", theirs.output_arg)]:
        want = args_of(their_args)
        have = [(a["name"], a["type"], a["count"]) for a in op[kind]]
        # Files know an input by its place, an output of a function's node by its name.
        if not same_args(have, want, theirs.attr, names=kind == "outputs"):
            found.append(f"{kind} ({describe(have)}), TensorFlow ({describe(want)})")
    known = {a.name: a for a in theirs.attr}
    for name, kind in op["attrs"].items():
        if name not in known:
            found.append(f"attribute {name} is not in TensorFlow ({', '.join(known)})")
        elif known[name].type != kind:
            found.append(f"attribute {name} is {kind}, in TensorFlow {known[name].type}")
    for name, attr in known.items():
        if name not in op["attrs"] and not attr.HasField("default_value"):
            found.append(f"attribute {name} is missing")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "build" / "bin" / "interop_dump_ops")
    ops = json.loads(subprocess.run([parser.parse_args().program], check=True,
                                    capture_output=True).stdout)
    wrong, ours = 0, []
    for op in sorted(ops, key=lambda op: op["name"]):
        found = differences(op)
        if found is None:
            ours.append(op["name"])
        for line in found or []:
            wrong += 1
            print(f"{op['name']}: {line}")
    print(f"op_defs_check: {len(ops)} ops, {len(ours)} not in TensorFlow ({', '.join(ours)}), "
          f"{wrong} differences")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
