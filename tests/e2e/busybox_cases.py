# SPDX-License-Identifier: MIT
"""Invocations of busybox applets and the directory that they run in.

A case is (command line, standard input).  Only applets that neither fork nor look at the machine
itself; times are fixed, so that a native run and one under hermit-run must agree byte for byte.
"""
import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile

FIXED_TIME = 1700000000
WORDS = b"the quick brown fox jumps over the lazy dog and runs away from it all".split()
TEXT = b"\n".join(b" ".join(WORDS[i % 5:i % 5 + 3 + i % 4]) for i in range(60)) + b"\n"
NUMBERS = "".join(f"{i * 7919 % 1000} {i}\n" for i in range(100)).encode()
TABLE = b"name,age,city\nann,31,rome\nbob,27,oslo\ncid,45,lima\ndan,27,rome\n"
BINARY = bytes(range(256)) * 40 + b"a readable string\0another one\0" + bytes(1000)
OLD = b"".join(b"line %d\n" % i for i in range(30))
NEW = OLD.replace(b"line 7\n", b"line seven\n").replace(b"line 20\n", b"") + b"last\n"
PATCH = (b"--- old.txt\n+++ old.txt\n@@ -5,7 +5,7 @@\n line 4\n line 5\n line 6\n-line 7\n"
         b"+line seven\n line 8\n line 9\n line 10\n")


def _tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in (("t/one", b"first\n"), ("t/two", TEXT)):
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), FIXED_TIME, 0o640
            tar.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("t/link")
        link.type, link.linkname, link.mtime = tarfile.SYMTYPE, "one", FIXED_TIME
        tar.addfile(link)
    return out.getvalue()


def _cpio():
    """The newc format, by hand: a directory-less archive of two files."""
    out = b""
    for i, (name, data, mode) in enumerate([("c1", b"cpio one\n", 0o100644),
                                            ("c2", b"cpio two\n" * 50, 0o100600),
                                            ("TRAILER!!!", b"", 0)]):
        fields = [i + 1, mode, 0, 0, 1, FIXED_TIME, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
        out += head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
    return out + bytes(-len(out) % 512)


def _zip():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in (("z/one.txt", b"zipped\n"), ("z/two.txt", TEXT)):
            z.writestr(zipfile.ZipInfo(name, (2023, 11, 14, 22, 13, 20)), data)
    return out.getvalue()


def prepare(top):
    """Fills an empty directory."""
    files = {
        "text": TEXT, "numbers": NUMBERS, "table.csv": TABLE, "binary": BINARY, "empty": b"",
        "old.txt": OLD, "new.txt": NEW, "fix.patch": PATCH, "a.tar": _tar(), "a.cpio": _cpio(),
        "a.zip": _zip(), "words.gz": gzip.compress(TEXT, mtime=FIXED_TIME), "dup.bz2":
        bz2.compress(TEXT * 20), "dup.xz": lzma.compress(TEXT * 20, check=lzma.CHECK_CRC32),
        "crlf": TEXT.replace(b"\n", b"\r\n"), "tabs": b"a\tb\tc\n\tdd\te\n",
        "rep": b"a\na\nb\nb\nb\nc\na\n",
        "script.awk": b"{ s += $1 } END { printf \"%d %.3f\\n\", s, s / NR }\n",
        "script.sh": b"i=0\nwhile [ $i -lt 5 ]; do i=$((i+1)); echo \"round $i\"; done\n",
        "script.sed": b"1,3d\ns/fox/FOX/g\n$!N\nP\nD\n", "tree/x/deep/file": b"deep\n",
        "tree/x/other": b"other\n", "tree/y/run.sh": b"#!/bin/sh\necho hi\n",
        "tree/.hidden": b"h\n",
        "sums": b"d41d8cd98f00b204e9800998ecf8427e  empty\n" + b"0" * 32 + b"  text\n",
    }
    for name, data in files.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o755 if name.endswith(".sh") else 0o644)
    os.mkdir(os.path.join(top, "out"))
    os.symlink("text", os.path.join(top, "link"))
    os.symlink("nowhere", os.path.join(top, "dangling"))
    os.symlink("../x/deep", os.path.join(top, "tree/y/up"))
    os.link(os.path.join(top, "numbers"), os.path.join(top, "numbers2"))
    for folder, folders, names in os.walk(top, topdown=False):
        for name in folders + names:
            os.utime(os.path.join(folder, name), (FIXED_TIME, FIXED_TIME), follow_symlinks=False)
    os.utime(top, (FIXED_TIME, FIXED_TIME))


NONE = b""
CASES = [
    ("cat text numbers", NONE), ("cat -", TEXT), ("cat -n text", NONE), ("cat -A tabs crlf", NONE),
    ("cat missing text", NONE), ("cat tree", NONE), ("cat", b"x" * 300000), ("head text", NONE),
    ("head -n 3 text numbers", NONE), ("head -c 100 binary", NONE), ("head -n -55 text", NONE),
    ("tail text", NONE), ("tail -n +50 text", NONE), ("tail -c 37 text", NONE),
    ("tail -n 4", TEXT), ("wc text numbers empty", NONE), ("wc -lwc", TEXT), ("wc -L text", NONE),
    ("sort numbers", NONE), ("sort -n numbers", NONE), ("sort -rnk2 numbers", NONE),
    ("sort -u rep", NONE), ("sort -t, -k2,2n -k1,1r table.csv", NONE), ("sort -c text", NONE),
    ("uniq rep", NONE), ("uniq -c rep", NONE), ("uniq -d rep", NONE), ("uniq -u", b"a\na\nb\n"),
    ("cut -d, -f1,3 table.csv", NONE), ("cut -c3-7 text", NONE), ("cut -f2 tabs", NONE),
    ("tr a-z A-Z", TEXT), ("tr -d aeiou", TEXT), ("tr -s ' ' '_'", b"a  b   c\n"),
    ("tr -cd '[:digit:]'", NUMBERS), ("sed s/the/THE/g text", NONE),
    ("sed -n '/fox/p;10q' text", NONE), ("sed -f script.sed text", NONE),
    ("sed -i 's/line/row/' old.txt", NONE), ("sed -E 's/([a-z]+) ([a-z]+)/\\2 \\1/' text", NONE),
    ("sed 's/[' text", NONE), ("awk '{print NF, $1}' text", NONE),
    ("awk -f script.awk numbers", NONE),
    ("awk -F, 'NR>1{a[$3]+=$2} END{for(k in a)print k,a[k] }' table.csv", NONE),
    ("awk 'BEGIN{printf \"%.6f %x %s\\n\", 22/7, 255, substr(\"hello\",2,3)}'", NONE),
    ("awk 'BEGIN{while((getline l < \"text\")>0) n++; print n; exit 3}'", NONE),
    ("grep fox text", NONE), ("grep -c the text", NONE), ("grep -vn quick text", NONE),
    ("grep -rl deep tree", NONE), ("grep -E '^(the|fox) [a-z]{5}' text", NONE),
    ("grep nothing text", NONE), ("grep -q fox text", NONE), ("grep x missing", NONE),
    ("egrep -o '[0-9]+$' numbers", NONE), ("fgrep -x a rep", NONE), ("find tree", NONE),
    ("find . -name '*.txt' -size -2", NONE), ("find tree -type l", NONE),
    ("find tree -newer text -o -perm -100 -type f", NONE), ("find missing", NONE),
    ("find tree -depth -print0", NONE), ("find out tree/x/other -delete", NONE), ("ls", NONE),
    ("ls -lA", NONE), ("ls -lR tree", NONE), ("ls -1p tree/y", NONE), ("ls -l missing text", NONE),
    ("ls -ld out link", NONE), ("ls -lL link", NONE), ("ls /dev/null /dev/zero", NONE),
    ("stat -c '%n %s %a %F %U %h %Y' text tree link", NONE), ("stat -L -c %F link", NONE),
    ("stat missing", NONE), ("md5sum text binary", NONE), ("md5sum -c sums", NONE),
    ("sha1sum", TEXT), ("sha256sum text binary empty", NONE), ("sha512sum binary", NONE),
    ("sha3sum text", NONE), ("crc32 text binary", NONE), ("gzip -c text", NONE),
    ("gzip text numbers2", NONE), ("gunzip words.gz", NONE), ("gunzip -c text", NONE),
    ("gunzip -c words.gz", NONE), ("gzip -d", gzip.compress(TEXT * 100)), ("bzip2 -c text", NONE),
    ("bunzip2 dup.bz2", NONE), ("bzcat dup.bz2", NONE), ("xz -dc dup.xz", NONE),
    ("xzcat dup.xz", NONE), ("unxz dup.xz", NONE), ("xzcat text", NONE), ("tar tf a.tar", NONE),
    ("tar tvf a.tar", NONE), ("tar xf a.tar -C out", NONE), ("tar xOf a.tar t/one", NONE),
    ("tar cf - tree", NONE), ("tar cf out/new.tar tree text", NONE), ("tar xf missing.tar", NONE),
    ("cpio -t -F a.cpio", NONE), ("cpio -i", _cpio()), ("unzip -l a.zip", NONE),
    ("unzip -p a.zip z/one.txt", NONE), ("unzip -q a.zip -d out", NONE),
    ("dd if=binary bs=100 skip=3 count=2", NONE), ("dd bs=7 count=3 status=none", TEXT),
    ("dd if=/dev/zero of=out/z bs=1k count=64 seek=4 conv=notrunc status=none", NONE),
    ("od -c tabs", NONE), ("od -An -tx1 -N32 binary", NONE), ("hexdump -C text", NONE),
    ("hexdump binary", NONE), ("xxd text", NONE), ("xxd -r -p", b"48656c6c6f0a"),
    ("strings binary", NONE), ("strings -n 8 -f binary", NONE), ("expr 6 '*' 7", NONE),
    ("expr length hello", NONE), ("expr 1 / 0", NONE), ("expr 0", NONE),
    ("expr abc : 'a\\(.\\)'", NONE), ("test -f text", NONE), ("test -d text", NONE),
    ("test 3 -gt 2 -a -L link", NONE), ("test -x tree/y/run.sh", NONE), ("[ a = a ]", NONE),
    ("[ a = a", NONE), ("printf '%s-%05d-%x\\n' a 42 255", NONE),
    ("printf '%b' 'tab\\there\\n'", NONE), ("printf %d abc", NONE), ("echo -e 'a\\nb\\c' d", NONE),
    ("echo -n hello", NONE), ("seq 5", NONE), ("seq -w 8 12", NONE), ("seq 1 .5 3", NONE),
    ("seq 3 -1 1", NONE), ("date -u -d @1700000000", NONE),
    ("date -u -d @0 +%Y-%m-%dT%H:%M:%S", NONE), ("date -u -d '2024-02-29 12:00' +%s", NONE),
    ("date -d nonsense", NONE), ("cal 2 2024", NONE), ("cal 2023", NONE),
    ("bc", b"scale=20\n2/3\n2^100\n"), ("bc -l", b"e(1)\ns(0.5)\n"),
    ("dc", b"2 3 + p 10 k 2 v p\n"), ("diff old.txt new.txt", NONE),
    ("diff -u old.txt old.txt", NONE), ("diff -q old.txt new.txt", NONE),
    ("diff -r tree/x tree/y", NONE), ("patch -p0 -i fix.patch", NONE), ("patch", PATCH),
    ("cmp old.txt new.txt", NONE), ("cmp -l text text", NONE), ("cmp text empty", NONE),
    ("fold -w 11 text", NONE), ("fold -s -w 20 text", NONE), ("nl text", NONE), ("rev text", NONE),
    ("tac numbers", NONE), ("expand tabs", NONE), ("unexpand -a text", NONE),
    ("paste text numbers", NONE), ("paste -s -d+ numbers", NONE), ("dos2unix crlf", NONE),
    ("unix2dos", TEXT), ("factor 1234567890 97", NONE), ("shuf -n 0 text", NONE),
    ("tee out/copy out/again", TEXT), ("ts nothing", NONE),
    ("env -i A=1 B=2 /bin/busybox env", NONE), ("env -u HOME /bin/busybox printf %s x", NONE),
    ("env -i /no/such/program", NONE), ("id", NONE), ("id -u", NONE), ("whoami", NONE),
    ("groups", NONE), ("basename /a/b.txt .txt", NONE), ("dirname /a/b/c", NONE),
    ("readlink link", NONE), ("readlink -f tree/y/up/file", NONE), ("readlink text", NONE),
    ("realpath tree/y/up link", NONE), ("realpath missing/x", NONE), ("pwd", NONE),
    ("env PATH=tree:tree/y /bin/busybox which run.sh nothing-like-this", NONE),
    ("base64 binary", NONE), ("base64 -d", b"aGVsbG8gd29ybGQK"), ("base64 -d", b"!!!"),
    ("uuencode text", TEXT), ("uuencode -m x", TEXT),
    ("uudecode -o out/u", b"begin 644 x\n#:&D*\n`\nend\n"),
    ("ed old.txt", b"3d\n1,2p\n$a\nadded\n.\nw\nq\n"), ("ed text", b"/fox\n=\nq\n"),
    ("mktemp -u out/tmp.XXXXXX -q extra", NONE), ("touch -d @1234567890 out/t", NONE),
    ("touch text missing-dir/x", NONE), ("chmod 600 text", NONE), ("chmod -R u+x,go-r tree", NONE),
    ("chmod u=rw,go= missing", NONE), ("ln text out/hard", NONE), ("ln -s ../text out/soft", NONE),
    ("ln text numbers", NONE), ("ln -sf new link", NONE), ("mv text out/moved", NONE),
    ("mv -n text numbers", NONE), ("mv missing x", NONE), ("mv tree out/tree", NONE),
    ("cp text out", NONE), ("cp -r tree out/copy", NONE), ("cp -a tree out/all", NONE),
    ("cp -p numbers out/n", NONE), ("cp tree out", NONE), ("rm text numbers", NONE),
    ("rm -r tree", NONE), ("rm -f missing", NONE), ("rm missing", NONE), ("rm tree", NONE),
    ("rmdir out", NONE), ("rmdir tree", NONE), ("mkdir -p out/a/b/c", NONE),
    ("mkdir -m 700 out/private", NONE), ("mkdir text", NONE), ("mkfifo out/pipe", NONE),
    ("truncate -s 1M out/big", NONE), ("truncate -s 5 text", NONE),
    ("fallocate -l 10000 out/space", NONE), ("unlink text", NONE),
    ("du -a tree/x/deep/file", NONE), ("install", NONE), ("true", NONE), ("false", NONE),
    ("sleep 0.05", NONE), ("usleep 1000", NONE), ("uname -sm", NONE), ("ascii", NONE),
    ("getopt -o ab: -- -a -b 1 file", NONE), ("no-such-applet", NONE),
    ("run-parts --list tree", NONE), ("yes --help", NONE), ("split --help", NONE),
    ("cksum --help", NONE), ("sh -c 'echo hello; exit 3'", NONE), ("sh script.sh", NONE),
    ("sh", b"echo from stdin\nexit 7\n"),
    ("sh -c 'x=5; y=$((x*x+2)); echo ${#y} ${y%7} ${x:-z} $((y<<3))'", NONE),
    ("sh -c 'for f in *.txt tree/*; do printf \"%s\\n\" \"$f\"; done'", NONE),
    ("sh -c 'f() { local a=$1; [ $a -le 1 ] && return 0; f $((a-1)); }; f 50; echo $?'", NONE),
    ("sh -c 'while read -r a b; do echo \"$b $a\"; done < numbers'", NONE),
    ("sh -c 'read x <<EOF\nhere document\nEOF\necho \"[$x]\"'", NONE),
    ("sh -c 'echo out > out/f; echo more >> out/f; read l < out/f; echo $l 1>&2'", NONE),
    ("sh -c 'case abc in a*) echo yes;; *) echo no;; esac; set -- 1 2 3; shift; "
     "echo $# $*'", NONE),
    ("sh -c 'cd tree && pwd && cd .. && echo $OLDPWD; umask; umask 77; echo > out/m'", NONE),
    ("sh -c 'trap \"echo bye\" EXIT; kill -0 $$ && echo alive; exit 4'", NONE),
    ("sh -c 'trap \"echo caught\" USR1; kill -USR1 $$; echo after'", NONE),
    ("sh -c 'kill -TERM $$; echo not reached'", NONE), ("sh -c 'exec cat text'", NONE),
    ("sh -c 'exec 3< text; read a <&3; read b <&3; echo $b'", NONE),
    ("sh -c 'set -e; false; echo no'", NONE), ("sh -c 'syntax error ('", NONE),
    ("sh -c 'echo $((1/0))'", NONE), ("sh -c no-such-command", NONE),
    ("sh -c 'echo $0 $1 $2' zero one two", NONE), ("sh missing-script", NONE),
    ("sh -c 'set -o pipefail; getopts ab: o -b v; echo $o $OPTARG; type cd; hash -r'", NONE),
]
