#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a signed apk repository: make.py DIR [--break WHAT].

DIR/keys/test.rsa.pub and test.rsa, DIR/repo/<arch>/APKINDEX.tar.gz and packages (apk-tools, doc/apk-v2.5.scd). The key is
kept when it is there, so a repository can be made again with something broken:

  sha1, sha512  nothing: the index is signed with this digest
  unsigned   the index has no signature      wrong-key  it is signed by another key
  control    a package's control part is not the one of the index
  data       a package's data part is not the one of its datahash
  file       a file is not the one of its checksum
  added      a further package that install_if brings in, "extra", where layout and libs are
  missing    one architecture has a newer version of a package, the other has not
"""
import base64
import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile

ARCHES = ("x86_64", "aarch64")
KEY = "test.rsa.pub"


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def make_key(path):
    if not os.path.exists(path):
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)
    with open(path + ".pub", "wb") as out:
        out.write(openssl("pkey", "-in", path, "-pubout"))


def tar(entries, cut, sums=True, wrong=None):
    """entries: (name, kind, content or target, mode); kind f, d, l."""
    out = io.BytesIO()
    archive = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)
    for name, kind, content, mode in entries:
        info = tarfile.TarInfo(name)
        info.mode = mode
        data = content.encode() if isinstance(content, str) else content
        if kind == "d":
            info.type = tarfile.DIRTYPE
        elif kind == "l":
            info.type = tarfile.SYMTYPE
            info.linkname = data.decode()
        else:
            info.size = len(data)
        if sums and kind != "d":
            digest = hashlib.sha1(data).hexdigest()
            if name == wrong:
                digest = "0" * 40
            info.pax_headers = {"APK-TOOLS.checksum.SHA1": digest}
        archive.addfile(info, io.BytesIO(data) if kind == "f" else None)
    end = archive.offset
    archive.close()
    raw = out.getvalue()
    return raw[:end] if cut else raw


def pack(raw):
    return gzip.compress(raw, 9, mtime=0)


def make_package(name, version, arch, entries, info=(), scripts=(), broken=None):
    data = pack(tar(entries, cut=False, wrong=broken and broken[1] if broken and broken[0] == "file" else None))
    datahash = hashlib.sha256(data).hexdigest()
    lines = [("pkgname", name), ("pkgver", version), ("arch", arch), ("size", "4096"), ("origin", name),
             ("license", "MIT"), ("pkgdesc", "made for a test"), ("maintainer", "nobody"), *info,
             ("datahash", datahash)]
    text = "# made\n" + "".join(f"{key} = {value}\n" for key, value in lines)
    control = pack(tar([(".PKGINFO", "f", text, 0o644), *scripts], cut=True, sums=False))
    if broken and broken[0] == "data":
        data = pack(tar(entries + [("etc/extra", "f", "x", 0o644)], cut=False))
    return control, data, lines


def record(control, data, lines, size):
    values = {}
    for key, value in lines:
        values.setdefault(key, []).append(value)
    checksum = "Q1" + base64.b64encode(hashlib.sha1(control).digest()).decode()
    letters = [("C", checksum), ("P", values["pkgname"][0]), ("V", values["pkgver"][0]), ("A", values["arch"][0]),
               ("S", str(size)), ("I", "4096"), ("T", values["pkgdesc"][0]), ("L", "MIT"), ("o", values["origin"][0])]
    if "depend" in values:
        letters.append(("D", " ".join(values["depend"])))
    if "provides" in values:
        letters.append(("p", " ".join(values["provides"])))
    if "install_if" in values:
        letters.append(("i", " ".join(values["install_if"])))
    return "".join(f"{letter}:{value}\n" for letter, value in letters) + "\n"


def sign(key, data, name, digest="sha256"):
    word = {"sha1": "RSA", "sha256": "RSA256", "sha512": "RSA512"}[digest]
    signature = openssl("dgst", "-" + digest, "-sign", key, data=data)
    return pack(tar([(f".SIGN.{word}.{name}", "f", signature, 0o644)], cut=True, sums=False))


def library(where, soname, arch):
    """A shared library for either machine: to the loader's cache only the header and the soname count."""
    path = os.path.join(where, soname)
    subprocess.run(["gcc", "-shared", "-nostdlib", "-x", "c", "-Wl,-soname," + soname, "-o", path, "/dev/null"], check=True)
    with open(path, "rb") as file:
        data = bytearray(file.read())
    os.unlink(path)
    data[18:20] = {"x86_64": 62, "aarch64": 183}[arch].to_bytes(2, "little")
    return bytes(data)


def packages(arch, version, where):
    layout = [("etc", "d", "", 0o755), ("etc/passwd", "f", "root:x:0:0:root:/root:/bin/sh\nweb:x:100:101:web:/srv:/bin/sh\n", 0o644),
              ("etc/group", "f", "root:x:0:\nweb:x:101:\n", 0o644), ("etc/os-release", "f", "ID=made\n", 0o644),
              ("lib", "d", "", 0o755), ("bin", "d", "", 0o755), ("srv", "d", "", 0o755)]
    tool = [("usr", "d", "", 0o755), ("usr/bin", "d", "", 0o755),
            ("usr/bin/tool", "f", f"#!/usr/lib/libx.so.9\ntool {version} {arch}\n", 0o755),
            ("usr/bin/alias", "l", "tool", 0o777)]
    libs = [("etc", "d", "", 0o755), ("etc/ld.so.conf", "f", "include /etc/ld.so.conf.d/*.conf\n", 0o644),
            ("etc/ld.so.conf.d", "d", "", 0o755), ("etc/ld.so.conf.d/a.conf", "f", "/usr/lib\n# none\n", 0o644),
            ("usr", "d", "", 0o755), ("usr/lib", "d", "", 0o755), ("usr/lib/libx.so.9", "f", library(where, "libx.so.9", arch), 0o755),
            ("usr/lib/libx.so.10", "f", library(where, "libx.so.10", arch), 0o755), ("usr/lib/libx.so", "l", "libx.so.10", 0o777),
            ("usr/lib/libtext.so", "f", "no library", 0o644)]
    return [("layout", "1.0-r0", layout, [], []), ("libs", "1.0-r0", libs, [("depend", "layout")], []),
            ("tool", version, tool, [("depend", "layout"), ("depend", "libs"), ("provides", f"cmd:tool={version}")],
             [(".post-install", "f", "#!/bin/sh\ntouch /tmp/ran\nexit 1\n", 0o755)])]


def main():
    root = sys.argv[1]
    what = sys.argv[3] if len(sys.argv) > 3 else ""
    version = os.environ.get("APK_TOOL_VERSION", "1.0-r0")
    os.makedirs(os.path.join(root, "keys"), exist_ok=True)
    key, other = (os.path.join(root, "keys", name) for name in ("test.rsa", "other.rsa"))
    make_key(key)
    make_key(other)
    for arch in ARCHES:
        where = os.path.join(root, "repo", arch)
        os.makedirs(where, exist_ok=True)
        index = ""
        made = packages(arch, version, where)
        if what == "missing" and arch == ARCHES[0]:
            made.append(packages(arch, "9.0-r0", where)[-1])
        if what == "added":
            extra = [("usr", "d", "", 0o755), ("usr/extra", "f", "extra", 0o644)]
            made.append(("extra", "1.0-r0", extra, [("depend", "layout"), ("install_if", "layout libs=1.0-r0")], []))
        for name, number, entries, info, scripts in made:
            broken = {"data": ("data", ""), "file": ("file", "usr/bin/tool")}.get(what) if name == "tool" else None
            control, data, lines = make_package(name, number, arch, entries, info, scripts, broken)
            written = control
            if what == "control" and name == "tool":
                written = make_package(name, number, arch, entries, [*info, ("url", "x")], scripts)[0]
            file = sign(key, written, KEY) + written + data
            index += record(control, data, lines, len(file))
            with open(os.path.join(where, f"{name}-{number}.apk"), "wb") as out:
                out.write(file)
        body = pack(tar([("DESCRIPTION", "f", "made", 0o644), ("APKINDEX", "f", index, 0o644)], cut=False, sums=False))
        signature = b"" if what == "unsigned" else sign(other if what == "wrong-key" else key, body, KEY,
                                                             what if what in ("sha1", "sha512") else "sha256")
        with open(os.path.join(where, "APKINDEX.tar.gz"), "wb") as out:
            out.write(signature + body)


main()
