#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A project whose image holds a random tree, and what a reader of the image must see.

    random_tree.py make DIR SEED          writes DIR/xbuild.yaml with its files, and DIR/wanted.json
    random_tree.py compare WANTED.json PLACE [--owners] [--composed] [--ignore NAME]...
                                          PLACE is a directory or a tar; exit 1 with the first differences.
                                          --composed: its reader writes names in Unicode's normal form C
"""
import hashlib
import json
import os
import random
import stat
import sys
import tarfile
import unicodedata

# what readers of tar, shells and mount tables stumble over, one at a time and mixed
ALPHABETS = ["abcXYZ019", "-._+@%=,", " ", "'\"`$\\*?[]{}()&;|<>#~!^:", "äöüßñ", "ａｂ漢字かな", "🙂🐧", "e\u0301a\u0308", "שלוםمرحبا"]
LENGTHS = [1, 1, 2, 5, 12, 40, 98, 99, 100, 101, 154, 155, 156, 254, 255]
FILE_MODES = ["0644", "0755", "0600", "0444", "0400", "0755", "4755", "2755", "6711", "1644", "0777", "0001"]
DIR_MODES = [None, None, "0755", "0700", "1777", "2775", "0500"]
IDS = [0, 1, 10001, 65534, 65535, 2097151, 2097152, 3000000, 2147483646]
SIZES = [0, 0, 1, 511, 512, 513, 1024, 10239, 10240, 10241, 70000]


def name(r):
    """One path component of at most 255 bytes."""
    length = r.choice(LENGTHS)
    letters = "".join(r.sample(ALPHABETS, r.randint(1, 3)))
    made = ""
    while len((made + "🙂").encode()) <= length or not made:
        made += r.choice(letters)
    made += "x" * (length - len(made.encode()))
    return "x" + made[1:] if made in (".", "..") or made.startswith(".wh.") else made


class Tree:
    """Three top entries are directories with a mode and an owner for all in them, the others are files and links."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.wanted = {}  # path in the image: [type, mode, uid, gid, link or sha256]
        self.files = {}  # path in the project: bytes, None for a directory, text for a link
        self.yaml = {}

    def want_parents(self, path):
        while "/" in path:
            path = path.rsplit("/", 1)[0]
            self.wanted.setdefault(path, ["dir", 0o755, 0, 0, ""])

    def content(self):
        r = self.random
        return r.randbytes(r.choice(SIZES)) if hasattr(r, "randbytes") else bytes(r.choice(SIZES))

    def link(self):
        r = self.random
        return r.choice(["", "/", "../", "../../", "./"]) + "/".join(name(r) for _ in range(r.randint(1, 4)))

    def fill(self, source, place, mode, owner, depth):
        r = self.random
        self.files[source] = None
        # a directory may be searched by whoever may read it
        self.wanted[place] = ["dir", mode | (mode & 0o444) >> 2 if mode else 0o755, *owner, ""]
        for _ in range(r.choice([0, 1, 3, 6])):
            here = name(r)
            below, to = f"{source}/{here}", f"{place}/{here}"
            if to in self.wanted or len(to.encode()) > 1500:
                continue
            kind = r.choice(["file", "file", "link", "dir"])
            if kind == "dir" and depth < 25:
                self.fill(below, to, mode, owner, depth + 1)
            elif kind == "link":
                self.files[below] = self.link()
                self.wanted[to] = ["link", 0o777, *owner, self.files[below]]
            else:
                self.files[below] = self.content()
                digest = hashlib.sha256(self.files[below]).hexdigest()
                self.wanted[to] = ["file", mode or 0o644, *owner, digest]

    def deep(self, source, place):
        """A chain of directories, nearly as deep as is allowed, with an empty one at its end."""
        facts = self.wanted[place]
        for i in range(55):
            source, place = f"{source}/{'d' * (1 + i % 40)}", f"{place}/{'d' * (1 + i % 40)}"
            self.wanted[place] = facts
        self.files[source] = None

    def make(self):
        r = self.random
        for i in range(6):
            owner = (r.choice(IDS), r.choice(IDS))
            mode = r.choice(DIR_MODES)
            place = f"srv/{i}{name(r)[:60]}"
            self.yaml["/" + place] = {"from": f"tree{i}", "owner": "%d:%d" % owner} | ({"mode": mode} if mode else {})
            self.fill(f"tree{i}", place, int(mode, 8) if mode else 0, owner, 0)
        self.deep("tree0", next(iter(self.yaml))[1:])
        for i in range(40):
            place = "/".join(name(r) for _ in range(r.choice([1, 1, 2, 3, 6])))
            top = place.split("/")[0]
            # a key of the project file has at most 256 bytes
            if len(place.encode()) > 255 or top == "srv" or any(p.split("/")[0] == top for p in self.wanted):
                continue
            if r.random() < 0.3:
                text = self.link()
                self.yaml["/" + place] = {"link": text}
                self.wanted[place] = ["link", 0o777, 0, 0, text]
            else:
                owner, mode, data = (r.choice(IDS), r.choice(IDS)), r.choice(FILE_MODES), self.content()
                self.yaml["/" + place] = {"from": f"file{i}", "owner": "%d:%d" % owner, "mode": mode}
                self.files[f"file{i}"] = data
                self.wanted[place] = ["file", int(mode, 8), *owner, hashlib.sha256(data).hexdigest()]
        for path in list(self.wanted):
            self.want_parents(path)

    def write(self, directory):
        os.makedirs(directory)
        self.files["none.c"] = b"int main(void) { return 0; }\n"
        for path, content in self.files.items():
            path = os.path.join(directory, path)
            os.makedirs(path if content is None else os.path.dirname(path), exist_ok=True)
            if isinstance(content, str):
                os.symlink(content, path)
            elif content is not None:
                with open(path, "wb") as file:
                    file.write(content)
        project = {
            "name": "tree",
            "toolchain": {"llvm": "19"},
            "sysroot": {"debian": "test"},
            "targets": ["linux-x86_64"],
            "build": {"none": {"sources": ["none.c"]}},
            "image": {"tree": {"base": "scratch", "files": self.yaml}},
        }
        for document, file_name in ((project, "xbuild.yaml"), (self.wanted, "wanted.json")):
            with open(os.path.join(directory, file_name), "w", encoding="utf-8") as file:
                json.dump(document, file, ensure_ascii=False, indent=1)


def of_directory(top):
    top = os.fsencode(top)
    for directory, directories, files in os.walk(top):
        for path in (os.path.join(directory, n) for n in directories + files):
            st = os.lstat(path)
            if stat.S_ISLNK(st.st_mode):
                kind, last = "link", os.fsdecode(os.readlink(path))
            elif stat.S_ISDIR(st.st_mode):
                kind, last = "dir", ""
            else:
                kind, last = "file", digest_of(path)
            yield os.fsdecode(os.path.relpath(path, top)), [kind, stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid, last], st.st_mtime


def normal(text):
    return unicodedata.normalize("NFC", text)


def digest_of(path):
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except PermissionError:  # not root, and a mode that says so
        return None


def of_tar(path):
    with tarfile.open(path) as archive:
        for m in archive:
            kind = "link" if m.issym() else "dir" if m.isdir() else "file" if m.isreg() else f"type {m.type}"
            last = m.linkname if m.issym() else hashlib.sha256(archive.extractfile(m).read()).hexdigest() if m.isreg() else ""
            yield m.name.removeprefix("./").rstrip("/"), [kind, 0o777 if m.issym() else m.mode & 0o7777, m.uid, m.gid, last], m.mtime


def compare(wanted_path, place, options):
    with open(wanted_path, encoding="utf-8") as file:
        wanted = json.load(file)
    if "--composed" in options:
        wanted = {normal(path): [*facts[:4], normal(facts[4])] for path, facts in wanted.items()}
    ignored = {options[i + 1] for i, option in enumerate(options) if option == "--ignore"}
    found, wrong = {}, []
    for path, facts, mtime in of_directory(place) if os.path.isdir(place) else of_tar(place):
        if path in ignored or path == ".":
            continue
        found[path] = facts
        want = wanted.get(path)
        if want and "--owners" not in options:
            facts, want = [facts[0], facts[1] & 0o777, facts[4] or want[4]], [want[0], want[1] & 0o777, want[4]]
        if facts != want:
            wrong.append(f"{path!r}: {facts}, wanted {want}")
        elif mtime != 1 and facts[0] == "file":
            wrong.append(f"{path!r}: time {mtime}")
    wrong += [f"{path!r}: missing" for path in wanted if path not in found]
    if wrong or len(wanted) < 50:
        sys.exit("\n".join([f"{place}: {len(wrong)} of {len(wanted)} entries differ", *wrong[:5]]))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        tree = Tree(int(sys.argv[3]))
        tree.make()
        tree.write(sys.argv[2])
    else:
        compare(sys.argv[2], sys.argv[3], sys.argv[4:])
