# SPDX-License-Identifier: MIT
"""Scripts are executable and have a shebang; shell scripts parse, Python compiles."""
import os
import subprocess

import tree


def problem(path, text):
    if not text.startswith("#!"):
        return "no shebang"
    if not os.access(os.path.join(tree.TOP, path), os.X_OK):
        return "not executable"
    first = text.splitlines()[0]
    if first.endswith("/sh") or first.endswith("bash"):
        shell = "bash" if first.endswith("bash") else "sh"
        p = subprocess.run([shell, "-n", path], cwd=tree.TOP, capture_output=True, text=True,
                           check=False)
        return p.stderr.strip() or ("does not parse" if p.returncode else None)
    return None


def main():
    findings, checked = [], 0
    for path in tree.files():
        if tree.is_script(path):
            checked += 1
            found = problem(path, tree.read(path))
            if found:
                findings.append(f"{path}: {found}")
        if path.endswith(".py") or tree.is_script(path) and "python" in tree.read(path)[:40]:
            checked += 1
            try:
                compile(tree.read(path), path, "exec")
            except SyntaxError as e:
                findings.append(f"{path}:{e.lineno}: {e.msg}")
    tree.finish(findings, checked)


main()
