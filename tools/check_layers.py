#!/usr/bin/env python3
"""Checks who includes whom, and that no op is known by name outside its definition.

The table below is the architecture (CONTRIBUTING.md shows it as a map). An include of a room that is
not in the including room's row fails, as do cycles between folders, third-party headers in public
headers or outside the rooms that may use them, and an op's registry name as a string, or the headers
with the functions of ops, outside the rooms that may name ops (docs/adr/0005). Tests may include
everything.

Usage: check_layers.py [ROOT]   or   check_layers.py --self-test
"""

import pathlib
import re
import sys
import tempfile

# Room -> the rooms it may include, besides itself, the public headers and the standard library.
# "+room" also grants everything that room may include ("and below").
ROWS = {
    "base": [],
    "runtime": ["base"],
    "platform": ["base"],
    "tensor": ["base", "platform", "runtime"],
    "kernels/scalar": ["base", "runtime"],
    "kernels/ref": ["base", "runtime", "kernels/scalar"],
    "kernels/cpu": ["base", "runtime", "kernels/scalar"],
    "kernels/onednn": ["base", "runtime", "kernels/scalar"],
    "kernels/cuda": ["base", "runtime", "kernels/scalar"],
    "kernels": ["base", "platform", "runtime", "kernels/ref", "kernels/cpu", "kernels/onednn", "kernels/cuda"],
    "dispatch": ["base", "tensor"],
    "ops": ["base", "tensor", "dispatch"],
    "eager": ["base", "tensor", "dispatch", "kernels", "runtime"],
    "graph": ["+tensor", "+dispatch"],
    "autodiff": ["+dispatch"],
    "flow": ["+graph", "+autodiff"],
    "passes": ["+graph"],
    "plan": ["+graph", "+kernels", "+runtime"],
    "function": ["+flow", "+passes", "+plan", "+eager"],
    "io": ["+function"],
    "keras": [],
    "data": [],
    "leaf": ["+io"],
}

# Public headers that only some rooms may include: those that stand for a high room.
NAMES_OPS = {"ops", "autodiff", "flow", "keras", "data", "io", "leaf"}
PUBLIC_ROOMS = {
    "weir/ops": NAMES_OPS,
    "weir/operators.h": NAMES_OPS,
    "weir/functions.h": NAMES_OPS,
    "weir/nn.h": NAMES_OPS,
    "weir/linalg.h": NAMES_OPS,
    "weir/keras": {"keras", "leaf"},
    "weir/data": {"keras", "data", "leaf"},
}

# Third-party include prefix -> rooms that may use it. Programs (tools, bench, tests) may use all.
THIRD_PARTY = {
    "hwy/": {"kernels/cpu"},
    "dnnl": {"kernels/onednn"},
    "oneapi/": {"kernels/onednn"},
    "cuda": {"kernels/cuda", "tensor"},
    "google/protobuf/": {"io", "leaf"},
    "leveldb/": {"io"},
    "crc32c/": {"io"},
    "snappy": {"io"},
    "hdf5": {"io"},
    "zip.h": {"io"},
    "png.h": {"io", "data"},
    "jpeglib.h": {"io", "data"},
    "nlohmann/": {"io", "leaf"},
    "fmt/": {"platform", "tensor", "dispatch", "graph", "autodiff", "flow", "passes", "plan",
             "function", "io", "keras", "data", "leaf"},
}

# Operating-system and C headers: no third party.
SYSTEM = re.compile(r"^(sys|linux|arpa|netinet)/|^(dlfcn|fcntl|unistd|pthread|sched|immintrin|arm_neon"
                    r"|cpuid|signal|dirent|std\w+|math|string|assert|limits|float|errno|time)\.h$")

# Where an op's registry name may stand as a string; layers of Keras have names that are also ops'.
NAMES_ALLOWED = ("src/ops/", "src/kernels/", "src/passes/rules/", "src/io/", "src/keras/",
                 "src/leaf/onnx/")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
OP_NAME = re.compile(r'\bOpDef\s*\(\s*"(\w+)"')


def room_of(path):
    """The room of a path relative to src/, or None: 'kernels/cpu/x.cpp' -> 'kernels/cpu'."""
    parts = path.split("/")
    for length in (2, 1):
        room = "/".join(parts[:length])
        if length < len(parts) and room in ROWS:
            return room
    return None


def allowed_rooms(room):
    """The row of a room, with "+room" entries expanded."""
    allowed = set()
    for entry in ROWS[room]:
        name = entry.lstrip("+")
        allowed.add(name)
        if entry.startswith("+"):
            allowed |= allowed_rooms(name)
    return allowed


def strip_comments(text):
    """The text without comments, lines kept."""
    return COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)


def is_test(path):
    return "_test" in pathlib.PurePath(path).stem or path.startswith("tests/")


def is_third_party(target):
    """Standard headers have neither folder nor extension."""
    return not target.startswith("weir/") and ("." in target or "/" in target) \
        and not SYSTEM.search(target)


def check_public(path, includes):
    for quote, target in includes:
        if quote == '"' or target.startswith("src/"):
            yield f"{path}: public headers include <weir/...> and the standard library, not \"{target}\""
        elif is_third_party(target):
            yield f"{path}: third-party header <{target}> in a public header"


def check_angle(path, room, target):
    if target.startswith("weir/"):
        for prefix, rooms in PUBLIC_ROOMS.items():
            if target.startswith(prefix) and room.split("/")[0] not in rooms:
                yield f"{path}: {room} may not include <{target}>"
    elif is_third_party(target):
        users = [rooms for prefix, rooms in THIRD_PARTY.items() if target.startswith(prefix)]
        if not users or not users[0] & {room, room.split("/")[0]}:
            yield f"{path}: {room} may not include the third-party header <{target}>"


def check_quoted(path, room, target):
    other = room_of(target)
    if target.startswith("weir/"):
        yield f"{path}: include public headers as <{target}>"
    elif other is None:
        yield f"{path}: \"{target}\" is in no room: includes start at src/"
    elif other == "leaf" and target.split("/")[:2] != path.split("/")[1:3]:
        yield f"{path}: \"{target}\": nothing includes a leaf"
    elif other != room and other not in allowed_rooms(room):
        yield f"{path}: {room} may not include {other} (\"{target}\")"


def check_room(path, includes):
    room = room_of(path.removeprefix("src/"))
    if room is None:
        yield f"{path}: this folder is no room of the layer table in tools/check_layers.py"
        return
    for quote, target in includes:
        yield from (check_angle if quote == "<" else check_quoted)(path, room, target)


def folder_edges(files):
    """Folder -> folders it includes. A folder and one inside it count as one room."""
    edges = {}
    for path, includes in files.items():
        here = str(pathlib.PurePath(path).parent).removeprefix("src/")
        for quote, target in includes:
            there = str(pathlib.PurePath(target).parent)
            nested = there.startswith(here + "/") or here.startswith(there + "/")
            if quote == '"' and there != here and not nested:
                edges.setdefault(here, set()).add(there)
    return edges


def check_cycles(edges):
    state = {}

    def visit(folder, trail):
        state[folder] = "open"
        for other in sorted(edges.get(folder, ())):
            if state.get(other) == "open":
                yield "cycle between folders: " + " -> ".join(trail[trail.index(other):] + [other])
            elif other not in state:
                yield from visit(other, trail + [other])
        state[folder] = "done"

    for folder in sorted(edges):
        if folder not in state:
            yield from visit(folder, [folder])


def check_names(path, text, names):
    if path.startswith(NAMES_ALLOWED):
        return
    for number, line in enumerate(text.splitlines(), 1):
        for name in re.findall(r'"(\w+)"', line):
            if name in names:
                yield f"{path}:{number}: the op name \"{name}\": ask for a trait, not for a name"


def check(root):
    root = pathlib.Path(root)
    texts = {}
    for top in ("include/weir", "src"):
        for file in sorted((root / top).rglob("*")):
            path = file.relative_to(root).as_posix()
            if file.suffix in (".h", ".cpp", ".cu", ".cuh", ".inc", ".c") and not is_test(path):
                texts[path] = strip_comments(file.read_text(encoding="utf-8"))
    names = {name for path, text in texts.items() if path.startswith("src/ops/")
             for name in OP_NAME.findall(text)}
    files = {path: INCLUDE.findall(text) for path, text in texts.items()}
    problems = []
    for path, includes in files.items():
        is_public = path.startswith("include/")
        problems += (check_public if is_public else check_room)(path, includes)
        problems += check_names(path, texts[path], names)
    problems += check_cycles(folder_edges({p: i for p, i in files.items() if p.startswith("src/")}))
    return problems, len(files), len(names)


SELF_TESTS = [
    # (files, part of the one problem expected, or None)
    ({"src/tensor/a.h": '#include "base/b.h"\n#include <vector>\n#include <weir/tensor.h>'}, None),
    ({"src/base/a.h": '#include "tensor/b.h"'}, "base may not include tensor"),
    ({"src/plan/a.cpp": '#include "tensor/b.h"\n#include "runtime/c.h"'}, None),
    ({"src/graph/a.cpp": '#include "eager/b.h"'}, "graph may not include eager"),
    ({"src/kernels/cpu/a.cpp": '#include "kernels/ref/b.h"'}, "may not include kernels/ref"),
    ({"src/kernels/select.cpp": '#include "kernels/ref/b.h"'}, None),
    ({"src/function/a.cpp": '#include "leaf/board/b.h"'}, "nothing includes a leaf"),
    ({"src/leaf/board/a.cpp": '#include "leaf/board/b.h"'}, None),
    ({"src/keras/a.cpp": '#include "tensor/b.h"'}, "keras may not include tensor"),
    ({"src/passes/a.cpp": "#include <weir/ops/math.h>"}, "passes may not include <weir/ops"),
    ({"src/plan/a.cpp": "#include <weir/functions.h>"}, "plan may not include <weir/functions.h"),
    ({"src/flow/a.cpp": "#include <weir/functions.h>\n#include <weir/ops/array.h>"}, None),
    ({"src/tensor/a.cpp": "#include <google/protobuf/x.h>"}, "third-party"),
    ({"src/tensor/a.cpp": '// #include "graph/b.h"\n#include "base/b.h"'}, None),
    ({"src/tensor/a_test.cpp": '#include "graph/b.h"'}, None),
    ({"src/nowhere/a.cpp": ""}, "is no room"),
    ({"include/weir/a.h": "#include <fmt/core.h>"}, "third-party header <fmt/core.h> in a public"),
    ({"include/weir/a.h": '#include "base/b.h"'}, "public headers include"),
    ({"src/ops/a/x.h": '#include "ops/b/y.h"', "src/ops/b/y.h": '#include "ops/a/x.h"'}, "cycle"),
    ({"src/passes/a.h": '#include "passes/rules/b.h"',
      "src/passes/rules/b.h": '#include "passes/rule.h"'}, None),
    ({"src/ops/a.cpp": 'OpDef("MatMul")', "src/plan/b.cpp": 'if (op == "MatMul")'}, "ask for a trait"),
    ({"src/ops/a.cpp": 'OpDef("MatMul")', "src/passes/rules/b.cpp": '"MatMul"',
      "src/io/graphdef/c.cpp": '"MatMul"', "src/plan/b_test.cpp": '"MatMul"'}, None),
]


def self_test():
    failed = 0
    for files, expected in SELF_TESTS:
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                file = pathlib.Path(root, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            problems = check(root)[0]
        good = not problems if expected is None else len(problems) == 1 and expected in problems[0]
        if not good:
            failed += 1
            print(f"{files}\n  expected: {expected}\n  got: {problems}")
    print(f"check_layers self-test: {len(SELF_TESTS) - failed} passed, {failed} failed")
    return failed


def main(arguments):
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    root = arguments[0] if arguments else pathlib.Path(__file__).parent.parent
    problems, files, names = check(root)
    print("\n".join(problems), end="\n" if problems else "")
    print(f"check_layers: {files} files, {names} op names, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
