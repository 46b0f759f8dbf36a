#!/usr/bin/env python3
"""Makes C++ of the code blocks of the documents, so that tests compile and run what they say.

usage: extract.py program GUIDE.md OUT.cpp      one function per section, all called by main
       extract.py blocks FILE.md OUT.cpp ...    the first blocks as they are, one file each
       extract.py same FILE.md CODE.cpp         fails unless a block of the document is that file
"""

import pathlib
import re
import sys
import textwrap

BLOCK = re.compile(r"^( *)```cpp\n(.*?)^ *```$", re.M | re.S)


def blocks(text):
    return [textwrap.dedent(match.group(2)) for match in BLOCK.finditer(text)]


def program(text):
    sections = re.split(r"^## ", text, flags=re.M)
    lines = ["#include <iostream>", *blocks(sections[0])]
    for number, section in enumerate(sections[1:]):
        lines += [f"// {section.splitlines()[0]}", f"void section_{number}() {{", *blocks(section), "}"]
    lines += ["int main() {", *(f"  section_{n}();" for n in range(len(sections) - 1)), "}", ""]
    return "\n".join(lines)


def main(mode, document, *outputs):
    text = pathlib.Path(document).read_text(encoding="utf-8")
    if mode == "program":
        pathlib.Path(outputs[0]).write_text(program(text), encoding="utf-8")
    elif mode == "blocks":
        for output, block in zip(outputs, blocks(text), strict=False):
            pathlib.Path(output).write_text(block, encoding="utf-8")
    elif mode == "same":
        code = pathlib.Path(outputs[0]).read_text(encoding="utf-8")
        if code not in blocks(text):
            sys.exit(f"{document}: no block is {outputs[0]}")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
