#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes archives of toolchains, in the layouts that are published, out of Debian's clang-19 on this machine.

Usage: toolchain.py DIRECTORY

  DIRECTORY/LLVM-19-Linux.tar.xz    the project's own: one top directory, a whole development kit, xz of several blocks
  DIRECTORY/llvm-minimal.tar.zst    one program with links to it, bin/ at the top, zstd
  DIRECTORY/sums                    "NAME SHA256 SIZE" of each
"""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile

LLVM = "/usr/lib/llvm-19"
TOOLS = ["llvm-ar", "llvm-nm", "llvm-objcopy", "llvm-objdump", "llvm-readelf", "llvm-readobj"]
LIBS = ["libLLVM.so.19.1", "libclang-cpp.so.19.1"]

# What a multi-call build is: the name it is called by says what to be. The parts lie where the tree keeps libraries.
DRIVER = r"""
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	const char *base = strrchr(argv[0], '/'), *part = "objcopy";
	char self[4096], path[4200];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	(void)argc;
	base = base ? base + 1 : argv[0];
	if (n < 0)
		return 1;
	self[n] = 0;
	*strrchr(self, '/') = 0;
	if (!strncmp(base, "clang", 5))
		part = "clang";
	else if (!strncmp(base, "ld", 2) || !strncmp(base, "lld", 3))
		part = "lld";
	else if (!strcmp(base, "llvm-ar") || !strcmp(base, "llvm-ranlib"))
		part = "ar";
	snprintf(path, sizeof(path), "%s/../lib/lib%s-part.so", self, part);
	execv(path, argv);
	perror(path);
	return 127;
}
"""


class Archive:
    def __init__(self, fileobj):
        self.tar = tarfile.open(fileobj=fileobj, mode="w|", format=tarfile.PAX_FORMAT)

    def file(self, name, source=None, text=b"", mode=0o644):
        info = tarfile.TarInfo(name)
        info.mode = mode
        if source:
            info.size = os.path.getsize(source)
            with open(source, "rb") as f:
                self.tar.addfile(info, f)
        else:
            info.size = len(text)
            self.tar.addfile(info, io.BytesIO(text))

    def link(self, name, target, hard=False):
        info = tarfile.TarInfo(name)
        info.type = tarfile.LNKTYPE if hard else tarfile.SYMTYPE
        info.linkname = target
        self.tar.addfile(info)

    def folder(self, name):
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        self.tar.addfile(info)

    def headers(self, top):
        for folder, _, names in sorted(os.walk(f"{LLVM}/lib/clang/19/include")):
            for name in sorted(names):
                path = os.path.join(folder, name)
                self.file(top + os.path.relpath(path, LLVM), os.path.realpath(path))


def library(name):
    return os.path.realpath(f"{LLVM}/lib/{name}" if os.path.exists(f"{LLVM}/lib/{name}") else
                            f"/usr/lib/{os.uname().machine}-linux-gnu/{name}")


def official(archive):
    top = "LLVM-19.1.7-Linux/"
    for name in ("", "bin/", "lib/", "lib/clang/", "share/"):
        archive.folder(top + name)
    archive.file(top + "bin/clang-19", f"{LLVM}/bin/clang", mode=0o755)
    archive.link(top + "bin/clang", "clang-19")
    archive.link(top + "bin/clang++", "clang")
    archive.file(top + "bin/lld", f"{LLVM}/bin/lld", mode=0o755)
    archive.link(top + "bin/ld.lld", "lld")
    for name in TOOLS:
        archive.file(top + "bin/" + name, os.path.realpath(f"{LLVM}/bin/{name}"), mode=0o755)
    archive.link(top + "bin/llvm-ranlib", "llvm-ar")
    archive.link(top + "bin/llvm-strip", top + "bin/llvm-objcopy", hard=True)
    # what a development kit has besides, and nobody needs here
    archive.file(top + "bin/clang-tidy", text=b"x" * 100000, mode=0o755)
    archive.file(top + "lib/libclangAST.a", text=b"x" * 5000000)
    archive.file(top + "lib/liblldb.so.19.1.7", text=b"x" * 5000000)
    archive.link(top + "lib/liblldb.so", "liblldb.so.19.1.7")
    archive.file(top + "include/llvm/IR/Module.h", text=b"none of these\n")
    archive.file(top + "share/man/man1/clang.1", text=b"none of these\n")
    for name in LIBS:
        archive.file(top + "lib/" + name, library(name))
    archive.headers(top)


def minimal(archive):
    with tempfile.TemporaryDirectory() as work:
        source, program = os.path.join(work, "driver.c"), os.path.join(work, "driver")
        with open(source, "w") as f:
            f.write(DRIVER)
        subprocess.run(["cc", "-O1", "-o", program, source], check=True)
        archive.file("./bin/llvm", program, mode=0o755)
    for name in ("clang", "clang++", "clang-19", "ld.lld", "lld", "llvm-ar", "llvm-ranlib", "llvm-objcopy"):
        archive.link("./bin/" + name, "llvm")
    archive.link("./bin/llvm-strip", "./bin/llvm", hard=True)
    for part, name in (("clang", "clang"), ("lld", "lld"), ("ar", "llvm-ar"), ("objcopy", "llvm-objcopy")):
        archive.file(f"./lib/lib{part}-part.so", os.path.realpath(f"{LLVM}/bin/{name}"), mode=0o755)
    for name in LIBS:
        archive.file("./lib/" + name, library(name))
    archive.headers("./")


def write(path, compressor, fill):
    with open(path, "wb") as out:
        done = subprocess.Popen(compressor, stdin=subprocess.PIPE, stdout=out)
        archive = Archive(done.stdin)
        fill(archive)
        archive.tar.close()
        done.stdin.close()
        if done.wait():
            sys.exit(f"{compressor[0]} failed")


def main():
    top = sys.argv[1]
    os.makedirs(top, exist_ok=True)
    names = {"LLVM-19-Linux.tar.xz": (["xz", "-0", "-T0", "--block-size=16MiB"], official),
             "llvm-minimal.tar.zst": (["zstd", "-1", "-T0", "-q"], minimal)}
    with open(os.path.join(top, "sums"), "w") as sums:
        for name, (compressor, fill) in names.items():
            path = os.path.join(top, name)
            write(path, compressor, fill)
            with open(path, "rb") as f:
                digest = hashlib.sha256(f.read()).hexdigest()
            sums.write(f"{name} {digest} {os.path.getsize(path)}\n")


if __name__ == "__main__":
    main()
