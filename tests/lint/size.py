# SPDX-License-Identifier: MIT
"""Files of at most 500 lines, C functions of at most 80, lines of at most 100 columns.  Tables
(.def) are exempt: a row is one line."""
import tree

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 80
MAX_COLUMNS = 100


def functions(text):
    """(line of the opening brace, number of lines) of every function of a C file."""
    code = tree.blank_code(text)
    depth, line, start, before = 0, 1, None, ""
    for c in code:
        if c == "\n":
            line += 1
        elif c == "{":
            if depth == 0:
                # A function's brace follows its parameter list; a type's or table's does not.
                start = line if before == ")" else None
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0 and start is not None:
                yield start, line - start + 1
        if not c.isspace():
            before = c


def main():
    findings, checked = [], 0
    for path in tree.files():
        if not tree.is_source(path) or path.endswith(".def"):
            continue
        checked += 1
        text = tree.read(path)
        lines = text.splitlines()
        if len(lines) > MAX_FILE_LINES:
            findings.append(f"{path}: {len(lines)} lines (at most {MAX_FILE_LINES})")
        for number, line in enumerate(lines, 1):
            if len(line.expandtabs(8)) > MAX_COLUMNS:
                findings.append(f"{path}:{number}: {len(line)} columns (at most {MAX_COLUMNS})")
        if path.endswith(tree.C_SUFFIXES):
            findings += [f"{path}:{start}: function of {n} lines (at most {MAX_FUNCTION_LINES})"
                         for start, n in functions(text) if n > MAX_FUNCTION_LINES]
    tree.finish(findings, checked)


main()
