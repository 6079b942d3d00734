# SPDX-License-Identifier: MIT
"""What the programs of programs_cases.py work on: generated, so that nothing is downloaded."""
import json
import os
import random
import shlex
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
BIG_BYTES = 12 << 20
EXAMPLES = {"rust": ["rustc", "-O", "-o", "rust", "threads.rs"],
            "cxx": ["g++", "-O2", "-std=c++20", "-pthread", "-o", "cxx", "cxx.cc"],
            "goroutines": ["go", "build", "-o", "goroutines", "goroutines.go"],
            "openmp": ["g++", "-O2", "-fopenmp", "-o", "openmp", "openmp.cc", "-lm"]}
# What else is made with native runs of the programs, where they are installed.
MADE = [["javac", "-d", ".", "Work.java"],
        ["gcc", "-S", "-O2", "-o", "unit0.s", "unit.c"],
        ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=d=20", "tone.wav"],
        ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=900x900",
         "-frames:v", "1", "image.png"],
        ["restic", "init", "-q", "-r", "store"],
        ["pdftoppm", "-png", "-gray", "-singlefile", "-r", "150", "page.pdf", "words"]]


def quiet(argv, directory, **kw):
    """Runs argv if it is installed; what fails shows as an input that is missing."""
    if shutil.which(argv[0]):
        env = dict(os.environ, RESTIC_PASSWORD="x", TZ="UTC", HOME=os.environ.get("HOME", "/"))
        subprocess.run(argv, cwd=directory, env=env, check=False, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, **kw)


def write(directory, name, text):
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(text, bytes) else "w") as f:
        f.write(text)


def words(rng, count):
    lines = []
    while count > 0:
        n = min(rng.randint(4, 14), count)
        lines.append(" ".join(f"w{int(rng.expovariate(0.002))}" for _ in range(n)))
        count -= n
    return "\n".join(lines) + "\n"


def make_repository(directory, rng):
    git = ["git", "-C", "repo", "-c", "user.name=A", "-c", "user.email=a@b"]
    quiet(["git", "init", "-q", "repo"], directory)
    for commit in range(12):
        for k in range(8):
            write(directory, f"repo/src/d{k}/f{(commit * 5 + k) % 40}.txt", words(rng, 300))
        quiet([*git, "add", "-A"], directory)
        quiet([*git, "commit", "-q", "-m", f"change {commit}"], directory)
    quiet(["git", "-C", "repo", "config", "user.name", "A"], directory)
    quiet(["git", "-C", "repo", "config", "user.email", "a@b"], directory)
    write(directory, "repo/src/new.txt", "not added\n")


def make_site(directory, rng):
    write(directory, "site/config.toml", 'baseURL = "http://x/"\ntitle = "T"\n')
    for kind in ("single", "list"):
        write(directory, f"site/layouts/_default/{kind}.html",
              "<h1>{{.Title}}</h1>{{.Content}}{{range .Pages}}{{.Permalink}} {{end}}\n")
    write(directory, "site/layouts/index.html", "{{range .Site.RegularPages}}{{.Title}} {{end}}\n")
    for i in range(50):
        write(directory, f"site/content/p{i}.md",
              f"---\ntitle: P{i}\ndate: 2020-01-{i % 28 + 1:02}\n---\n# a\n{words(rng, 200)}")


def make_unit(rng):
    """A C file without includes, of some thousand lines."""
    out = ["typedef unsigned long u;"]
    for i in range(250):
        a, b, c = (rng.randint(1, 99) for _ in range(3))
        call = f" + f{rng.randint(0, i - 1)}(x, y >> 1)" if i else ""
        out.append(f"u f{i}(u x, u y)\n{{\n    u s = {a};\n    for (u i = 0; i < (x & {b}); i++)\n"
                   f"        s = s * {c} + (y ^ i);\n    switch (s % 5) {{\n"
                   f"    case 0: return s + x;\n    case 1: return s - y;\n"
                   f"    case 3: return s * {b};\n    }}\n    return y ? s{call} : s;\n}}")
    return "\n".join(out) + "\n"


def make_pdf(lines):
    """A PDF file of one page."""
    text = "BT /F1 30 Tf 40 700 Td " + " ".join(f"({x}) Tj 0 -50 Td" for x in lines) + " ET"
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 500 800]/Contents 5 0 R"
               "/Resources<</Font<</F1 4 0 R>>>>>>",
               "<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>",
               f"<</Length {len(text)}>>stream\n{text}\nendstream"]
    out, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj{content}endobj\n"
    table = "".join(f"{p:010} 00000 n \n" for p in places)
    return (f"{out}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF\n")


def prepare(directory):
    rng = random.Random(1)
    os.makedirs(directory)
    text = words(rng, 350000)
    write(directory, "text", text)
    write(directory, "numbers.csv", "a,b\n" + "".join(f"{i},{i * i % 1009}\n" for i in range(5000)))
    write(directory, "data.json", json.dumps([{"a": i, "b": f"v{i}"} for i in range(50000)]))
    with open(os.path.join(directory, "big"), "w", encoding="ascii") as f:
        while f.tell() < BIG_BYTES:
            f.write(words(rng, 100000))
            f.write(text)
    write(directory, "unit.c", make_unit(rng))
    write(directory, "unit0.c", make_unit(random.Random(2))[:20000])
    write(directory, "page.pdf", make_pdf(["The quick brown fox jumps", "over the lazy dog"]))
    write(directory, "Caddyfile", ":8080 {\nrespond \"hi\"\n}\n")
    for name in os.listdir(os.path.join(HERE, "programs")):
        shutil.copy(os.path.join(HERE, "programs", name), directory)
    for argv in [*EXAMPLES.values(), *MADE]:
        quiet(argv, directory)
    make_repository(directory, rng)
    make_site(directory, rng)


def available(case, template):
    """Whether the program and what it works on are there."""
    program = shlex.split(case.command)[0]
    if program.startswith("./"):
        return os.path.exists(os.path.join(template, program))
    return shutil.which(program, path="/usr/sbin:/usr/bin:/bin") is not None
