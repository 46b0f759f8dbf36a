#!/usr/bin/env python3
"""Holds the project to its size budgets and prints where it stands.

Hard limits fail: a file over 800 lines, a function over 80, more than three function-like macros, an
umbrella header that reaches more than 40 files,
a file of share/ over 1 MiB. Medians, percentiles and
the ratio of test code to product code are budgets for attention: they are printed, and fail with
--strict only.

Usage: check_sizes.py [--strict] [ROOT]   or   check_sizes.py --self-test
"""

import pathlib
import re
import sys
import tempfile

FOLDERS = ("include", "src", "tools", "bench", "examples", "tests", "python")
MAX_FILE, MAX_FUNCTION, MAX_MACROS, MAX_REACH, MAX_BYTES = 800, 80, 3, 40, 1 << 20
BUDGETS = {"function median": 8, "function p95": 40, "file median": 150}

# Everything whose braces would mislead: comments, raw strings, strings, characters, preprocessor lines.
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\''
                   r"|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.S | re.M)
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)\(", re.M)
INCLUDE = re.compile(r"^\s*#\s*include\s*<(weir/[^>]+)>", re.M)
ANGLES = re.compile(r"<[^<>]*>")
TYPE = re.compile(r"\b(namespace|class|struct|union|enum)\b")
INITIALISER = re.compile(r"=\s*$|\[[^\]]*\]\s*\([^()]*\)[^()]*$")  # a value, or a lambda


def strip(text):
    """The text with comments, strings and directives blanked, lines kept."""
    return NOISE.sub(lambda match: "\n" * match.group().count("\n"), text)


def opens_function(head):
    """Whether the brace after `head`, outside any function, opens a function's body."""
    while ANGLES.search(head):
        head = ANGLES.sub(" ", head)
    return "(" in head and not TYPE.search(head) and not INITIALISER.search(head)


def function_lengths(text):
    """(first line, lines) of every function body, from the line on which its declaration starts."""
    found, stack = [], []  # stack: line where a function starts, or None for any other brace
    head, head_line, line = "", 1, 1
    for char in strip(text):
        if char == "{":
            inside = any(start is not None for start in stack)
            stack.append(head_line if not inside and opens_function(head) else None)
            head = ""
        elif char == "}":
            start = stack.pop() if stack else None
            if start is not None:
                found.append((start, line - start + 1))
            head = ""
        elif char == ";":
            head = ""
        else:
            if not head.strip():
                head_line = line
            head += char
        line += char == "\n"
    return found


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0


def umbrella_reach(root):
    """Headers that <weir/weir.h> includes, directly or not."""
    seen, open_headers = set(), ["weir/weir.h"]
    while open_headers:
        header = open_headers.pop()
        file = root / "include" / header
        if header in seen:
            continue
        seen.add(header)
        if file.exists():
            open_headers += INCLUDE.findall(file.read_text(encoding="utf-8"))
    return len(seen)


def is_test(path):
    return "_test" in path.stem or "tests" in path.parts


def measure(root):
    files, functions, macros, problems, lines = [], [], [], [], {True: 0, False: 0}
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in (".h", ".cpp", ".cu", ".cuh", ".c", ".py"):
                continue
            path, text = file.relative_to(root), file.read_text(encoding="utf-8")
            count = text.count("\n")
            lines[is_test(path)] += count
            files.append(count)
            if count > MAX_FILE:
                problems.append(f"{path}: {count} lines (at most {MAX_FILE})")
            if file.suffix == ".py":
                continue
            macros += [f"{path}: {name}" for name in MACRO.findall(text)]
            for start, length in function_lengths(text):
                if not is_test(path):
                    functions.append(length)
                if length > MAX_FUNCTION:
                    problems.append(f"{path}:{start}: a function of {length} lines (at most {MAX_FUNCTION})")
    return files, functions, macros, problems, lines


def check(root):
    files, functions, macros, problems, lines = measure(root)
    if len(macros) > MAX_MACROS:
        problems.append(f"{len(macros)} function-like macros (at most {MAX_MACROS}): {', '.join(macros)}")
    reach = umbrella_reach(root)
    if reach > MAX_REACH:
        problems.append(f"<weir/weir.h> reaches {reach} headers (at most {MAX_REACH})")
    share = root / "share"
    problems += [f"{file.relative_to(root)}: over 1 MiB" for file in sorted(share.rglob("*"))
                 if file.stat().st_size > MAX_BYTES]
    figures = {"function median": percentile(functions, 0.5), "function p95": percentile(functions, 0.95),
               "file median": percentile(files, 0.5)}
    over = [f"{name} {figures[name]} (budget {budget})" for name, budget in BUDGETS.items()
            if figures[name] > budget]
    if lines[True] < lines[False]:
        over.append(f"test code {lines[True]} lines, product code {lines[False]} (budget: at least as many)")
    summary = (f"{len(files)} files (median {figures['file median']}, longest {max(files, default=0)}), "
               f"{len(functions)} functions (median {figures['function median']}, "
               f"p95 {figures['function p95']}, longest {max(functions, default=0)}), {len(macros)} macros, "
               f"umbrella reaches {reach}")
    return problems, over, summary


BODY = "  x;\n"
SELF_TESTS = [
    # (text of src/base/a.cpp, lengths of its functions)
    ("int f() {\n  return 1;\n}\n", [3]),
    ("namespace a {\nclass B : C<int(int)> {\n  int g() const { return 0; }\n};\n}\n", [1]),
    ("void f() {\n  if (a) {\n    g([&](int x) { h(); });\n  }\n}\nint y = 3;\n", [5]),
    ("const char* s = \"{\"; // {\nvoid f(int a,\n       int b) noexcept {\n}\n", [3]),
    ("A::A(int x)\n    : x_(x) {\n}\n#define M(x) { \\\n  x\nconst int a[] = {1, (2)};\n", [3]),
    ("TEST(A, B) {\n" + BODY * 90 + "}\n", [92]),
    ("enum class E : int { a, b };\nauto k = [](int a) {\n  return a;\n};\n", []),
]


def self_test():
    failed = 0
    for text, expected in SELF_TESTS:
        got = [length for _, length in function_lengths(text)]
        if got != expected:
            failed += 1
            print(f"{text}  expected: {expected}\n  got: {got}")
    with tempfile.TemporaryDirectory() as root:
        folder = pathlib.Path(root, "src/base")
        folder.mkdir(parents=True)
        (folder / "long.cpp").write_text("void f() {\n" + BODY * 801 + "}\n", encoding="utf-8")
        (folder / "m.h").write_text("".join(f"#define M{i}(x) x\n" for i in range(4)), encoding="utf-8")
        problems = check(pathlib.Path(root))[0]
    if len(problems) != 3:
        failed += 1
        print(f"expected a long file, a long function, too many macros; got: {problems}")
    print(f"check_sizes self-test: {len(SELF_TESTS) + 1 - failed} passed, {failed} failed")
    return failed


def main(arguments):
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    strict = "--strict" in arguments
    roots = [argument for argument in arguments if argument != "--strict"]
    problems, over, summary = check(pathlib.Path(roots[0] if roots else pathlib.Path(__file__).parent.parent))
    for line in problems:
        print(line)
    for line in over:
        print(f"over budget: {line}")
    print(f"check_sizes: {summary}, {len(problems)} problems")
    return 1 if problems or (strict and over) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
