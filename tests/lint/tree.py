# SPDX-License-Identifier: MIT
"""What the lint tests share: the project's files and the way findings are reported."""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIPPED = 77  # SKIP_RETURN_CODE of the tests
C_SUFFIXES = (".c", ".h")
SOURCE_SUFFIXES = (".c", ".h", ".S", ".py", ".def", ".cmake")


def _walk():
    for folder, folders, names in os.walk(TOP):
        folders[:] = [d for d in folders if d != ".git" and not d.startswith("build")]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), TOP)


def files():
    """Paths, relative to the top, of what git tracks or would track (all, without git)."""
    p = subprocess.run(["git", "-C", TOP, "-c", f"safe.directory={TOP}", "ls-files", "-z",
                        "--cached", "--others", "--exclude-standard"],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    found = p.stdout.decode().split("\0") if p.returncode == 0 else _walk()
    return sorted({f for f in found if f and os.path.isfile(os.path.join(TOP, f))})


def read(path):
    """Text of a file, or None if it is not text."""
    try:
        with open(os.path.join(TOP, path), encoding="utf-8") as f:
            return f.read()
    except UnicodeDecodeError:
        return None


def is_script(path):
    """Starts with a shebang, or stands where scripts stand."""
    text = read(path)
    if text is None:
        return False
    in_place = re.match(r"(scripts|\.ci)/[^/]+$", path) and not path.endswith((".txt", ".md"))
    return text.startswith("#!") or bool(in_place)


def is_source(path):
    name = os.path.basename(path)
    return path.endswith(SOURCE_SUFFIXES) or name == "CMakeLists.txt" or is_script(path)


def blank_code(text):
    """C text with comments, strings and preprocessor lines blanked out, line for line."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group())

    text = re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text,
                  flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)


def finish(findings, checked):
    """Reports and exits; checked: number of files or things looked at."""
    for finding in findings:
        print(finding)
    if not checked:
        print("nothing was checked: the lint test itself is broken")
    print(f"{checked} checked, {len(findings)} findings")
    sys.exit(1 if findings or not checked else 0)
