# SPDX-License-Identifier: Apache-2.0
"""A small apk repository, in the format of Alpine and Wolfi (apk-package(5), APKINDEX): made, signed, served.

    repository.py make DIR x86_64=ROOTFS.tar aarch64=ROOTFS.tar
    repository.py serve DIR PORT

Packages: example-baselayout (directories, accounts, os-release), glibc (the libraries that the root file systems have), and
example-base, which needs both. The key is made with openssl, once; the same inputs give the same packages."""
import base64
import gzip
import hashlib
import http.server
import io
import os
import subprocess
import sys
import tarfile

KEY = "example.rsa"
VERSION = "1.0-r0"


def add(tar, name, data=None, link=None, mode=0o644, checksum=True):
    """One entry: a directory, a link, or a file with the checksum that apk keeps beside each."""
    info = tarfile.TarInfo(name)
    info.uname = info.gname = "root"
    if link is not None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, link, 0o777
    elif data is None:
        info.type, info.mode = tarfile.DIRTYPE, mode
    else:
        info.size, info.mode = len(data), mode
    content = link.encode() if link is not None else data
    if checksum and content is not None:
        info.pax_headers = {"APK-TOOLS.checksum.SHA1": hashlib.sha1(content).hexdigest()}
    tar.addfile(info, io.BytesIO(data) if data is not None else None)


def tar_gz(fill, cut):
    """A gzip member with a tar; `cut`: without the end of the archive, so that the next member goes on with it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        fill(tar)
        end = tar.offset
    data = out.getvalue()
    return gzip.compress(data[:end] if cut else data, mtime=0)


def sign(key, data):
    return subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=data, stdout=subprocess.PIPE, check=True).stdout


def signature(key, data):
    name = ".SIGN.RSA256." + os.path.basename(key) + ".pub"
    return tar_gz(lambda tar: add(tar, name, sign(key, data), checksum=False), cut=True)


class Package:
    def __init__(self, name, arch, depends=(), provides=(), description=""):
        self.name, self.arch = name, arch
        self.depends, self.provides, self.description = depends, provides, description

    def write(self, directory, key, fill):
        data = tar_gz(fill, cut=False)
        self.installed = len(gzip.decompress(data))
        info = [
            ("pkgname", self.name),
            ("pkgver", VERSION),
            ("pkgdesc", self.description),
            ("arch", self.arch),
            ("origin", self.name),
            ("license", "Apache-2.0"),
            ("size", self.installed),
            ("builddate", 1700000000),
            *(("depend", d) for d in self.depends),
            *(("provides", p) for p in self.provides),
            ("datahash", hashlib.sha256(data).hexdigest()),
        ]
        text = "".join(f"{k} = {v}\n" for k, v in info).encode()
        control = tar_gz(lambda tar: add(tar, ".PKGINFO", text, checksum=False), cut=True)
        self.checksum = "Q1" + base64.b64encode(hashlib.sha1(control).digest()).decode()
        whole = signature(key, control) + control + data
        self.size = len(whole)
        with open(os.path.join(directory, f"{self.name}-{VERSION}.apk"), "wb") as f:
            f.write(whole)

    def record(self):
        lines = [
            ("C", self.checksum),
            ("P", self.name),
            ("V", VERSION),
            ("A", self.arch),
            ("S", self.size),
            ("I", self.installed),
            ("T", self.description),
            ("L", "Apache-2.0"),
            ("o", self.name),
            ("t", 1700000000),
            *([("D", " ".join(self.depends))] if self.depends else []),
            *([("p", " ".join(self.provides))] if self.provides else []),
        ]
        return "".join(f"{k}:{v}\n" for k, v in lines) + "\n"


def fill_baselayout(tar):
    for name in ["etc", "home", "home/nonroot", "root", "usr", "usr/bin", "usr/lib", "var"]:
        add(tar, name, mode=0o700 if name in ("root", "home/nonroot") else 0o755)
    for name in ["bin", "lib", "lib64", "sbin"]:
        add(tar, name, link="usr/lib" if name.startswith("lib") else "usr/bin")
    add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/home/nonroot:/bin/sh\n")
    add(tar, "etc/group", b"root:x:0:\nnonroot:x:65532:\n")
    add(tar, "etc/os-release", b'ID=example\nNAME="Example"\nPRETTY_NAME="Example"\nVERSION_ID="1.0"\n')


def fill_glibc(tar, rootfs):
    """The libraries and the program loader of a root file system that xbuild made."""
    names = set()
    with tarfile.open(rootfs) as root:
        for member in root:
            path = member.name.strip("/")
            if not path.startswith("usr/lib/") or path.startswith("usr/lib/os-release"):
                continue
            if member.isdir():
                continue
            for depth in range(2, path.count("/") + 1):
                above = "/".join(path.split("/")[:depth])
                if above not in names and above != "usr/lib":
                    names.add(above)
                    add(tar, above, mode=0o755)
            if member.issym():
                add(tar, path, link=member.linkname)
            else:
                add(tar, path, root.extractfile(member).read(), mode=member.mode)
        # what leads to the loader from the place that programs name
        for link in root:
            path = link.name.strip("/")
            if path.startswith("usr/lib64/") and link.issym():
                target = os.path.normpath(os.path.join("/usr/lib64", link.linkname))
                add(tar, "usr/lib/" + os.path.basename(path), link=os.path.relpath(target, "/usr/lib"))


def make(directory, roots):
    os.makedirs(directory, exist_ok=True)
    key = os.path.join(directory, KEY)
    if not os.path.exists(key):
        subprocess.run(["openssl", "genrsa", "-out", key, "4096"], stderr=subprocess.DEVNULL, check=True)
        subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", key + ".pub"], stderr=subprocess.DEVNULL, check=True)
    for arch, rootfs in roots:
        below = os.path.join(directory, "os", arch)
        os.makedirs(below, exist_ok=True)
        packages = [
            Package("example-base", arch, ["example-baselayout", "so:libc.so.6"], description="What a service needs"),
            Package("example-baselayout", arch, description="Directories, accounts and names"),
            Package("glibc", arch, ["example-baselayout"], ["so:libc.so.6=6"], "The C library"),
        ]
        for package in packages:
            fill = {
                "example-base": lambda tar: add(tar, "etc/example", b"example\n"),
                "example-baselayout": fill_baselayout,
                "glibc": lambda tar: fill_glibc(tar, rootfs),
            }[package.name]
            package.write(below, key, fill)

        def fill_index(tar):
            add(tar, "DESCRIPTION", b"example", checksum=False)
            add(tar, "APKINDEX", "".join(p.record() for p in packages).encode(), checksum=False)

        index = tar_gz(fill_index, cut=False)
        with open(os.path.join(below, "APKINDEX.tar.gz"), "wb") as f:
            f.write(signature(key, index) + index)


def serve(directory, port):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=directory)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"serving {directory} on 127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if len(sys.argv) > 3 and sys.argv[1] == "make":
    make(sys.argv[2], [argument.split("=", 1) for argument in sys.argv[3:]])
elif len(sys.argv) == 4 and sys.argv[1] == "serve":
    serve(sys.argv[2], int(sys.argv[3]))
else:
    sys.exit(__doc__)
