#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds packages to an archive made by make.py that no honest archive has, and signs it again.

Usage: evil.py DIRECTORY CANARY

CANARY is an absolute path that nothing may touch. Each package is called evil-<what>; what a package tries to plant
outside of its tree is called planted, what is fine is called harmless.
"""

import hashlib
import io
import lzma
import os
import subprocess
import sys
import tarfile


def entry(name, data=b"x\n", mode=0o644, kind=tarfile.REGTYPE, link="", pax=None):
    info = tarfile.TarInfo(name)
    info.mode, info.type, info.linkname = mode, kind, link
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    info.pax_headers = pax or {}
    return info, data


def tar(entries, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as t:
        for info, data in entries:
            t.addfile(info, io.BytesIO(data) if info.size else None)
    return out.getvalue()


def ar(members):
    out = b"!<arch>\n"
    for name, data in members:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return out


def control_text(name, version="1", arch="arm64"):
    return f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\nMaintainer: x <x@example.org>\nDescription: x\n"


def deb(data_tar, control, data_name="data.tar.xz", extra=b""):
    control_tar = tar([entry("./control", control)])
    return ar([("debian-binary", b"2.0\n"), ("control.tar.xz", lzma.compress(control_tar)),
               (data_name, lzma.compress(data_tar, preset=0))]) + extra


DIR, LINK, HARD = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def huge_size_tar():
    """A pax header that says 9 EB, and a few bytes."""
    records = b"27 size=9000000000000000000\n"
    records = f"{len(records)}".encode() + records[2:]
    info = tarfile.TarInfo("PaxHeaders/planted")
    info.type, info.size = tarfile.XHDTYPE, len(records)
    out = info.tobuf(tarfile.USTAR_FORMAT) + records + b"\0" * (-len(records) % 512)
    plain = tarfile.TarInfo("./usr/planted")
    plain.size = 5
    return out + plain.tobuf(tarfile.USTAR_FORMAT) + b"hello" + b"\0" * (512 - 5 + 1024)


def packages(canary):
    """name -> (data.tar, further words for deb())"""
    fine = [entry("./usr/share/harmless-file")]
    made = {
        "dotdot": tar([entry("../planted")]),
        "dotdot-deep": tar([entry("./usr/../../../../../../../../../../.." + canary + "/planted")]),
        "absolute": tar([entry(canary + "/planted")]),
        "link-out": tar([entry("./usr/evil-link", kind=LINK, link="../../../../../../../../.." + canary)]),
        "through-link": tar([entry("./usr/evil-link", kind=LINK, link=canary), entry("./usr/evil-link/planted")]),
        "through-relative-link": tar([entry("./usr/evil-link", kind=LINK, link="../../../../../../../.." + canary),
                                      entry("./usr/evil-link/planted")]),
        "link-half": tar([entry("./usr/evil-half", kind=LINK, link=canary)]),
        "file-half": tar([entry("./usr/evil-half/planted")]),
        "hard-out": tar([entry("./usr/planted", kind=HARD, link="../../../../../../../../../.." + canary + "/secret")]),
        "hard-absolute": tar([entry("./usr/planted", kind=HARD, link=canary + "/secret")]),
        "device": tar([entry("./dev/planted-null", kind=tarfile.CHRTYPE)]),
        "block": tar([entry("./dev/planted-disk", kind=tarfile.BLKTYPE)]),
        "fifo": tar([entry("./usr/planted-fifo", kind=tarfile.FIFOTYPE)]),
        "device-name": tar([entry("./dev/planted\x1b]0;owned\x07", kind=tarfile.CHRTYPE)]),
        "twice": tar([entry("./usr/share/evil-twice", b"one\n"), entry("./usr/share/evil-twice", b"two\n")]),
        "clash-one": tar([entry("./usr/share/evil-clash", b"one\n")]),
        "clash-two": tar([entry("./usr/share/evil-clash", b"two\n")]),
        "newline": tar([entry("./usr/share/planted\nerror: all is well")]),
        "escape": tar([entry("./usr/share/planted\x1b[2J\x1b[H")]),
        "long-name": tar([entry("./usr/share/" + "n" * 5000)]),
        "long-component": tar([entry("./usr/share/" + "n" * 256)]),
        "deep": tar([entry("./" + "d/" * 200 + "planted")]),
        "huge-size": huge_size_tar(),
        "whiteout": tar([entry("./usr/share/.wh.passwd")]),
        "below-file": tar([entry("./usr/share/evil-file"), entry("./usr/share/evil-file/planted")]),
        "loop": tar([entry("./usr/share/evil-loop", kind=LINK, link="evil-loop"), entry("./usr/share/evil-loop/planted")]),
        "cut-tar": tar([entry("./usr/share/planted", b"y" * 5000)])[:3000],
        "setuid": tar([entry("./usr/bin/harmless-setuid", mode=0o6755), entry("./usr/share/harmless-dir", mode=0o2777, kind=DIR)]),
        "hard-fine": tar([entry("./usr/share/harmless-one", b"same\n"),
                          entry("./usr/share/harmless-two", kind=HARD, link="./usr/share/harmless-one")]),
    }
    special = {
        "control-name": deb(tar(fine), control_text("something-else").encode()),
        "control-version": deb(tar(fine), control_text("evil-control-version", version="2").encode()),
        "control-bomb": deb(tar(fine), control_text("evil-control-bomb").encode() + b"X: " + b"y" * 100_000_000 + b"\n"),
        "no-data": ar([("debian-binary", b"2.0\n"),
                       ("control.tar.xz", lzma.compress(tar([entry("./control", control_text("evil-no-data").encode())])))]),
        "two-data": deb(tar(fine), control_text("evil-two-data").encode(),
                        extra=ar([("data.tar.xz", lzma.compress(tar([entry("./usr/share/planted")])))])[8:]),
        "not-a-deb": b"#!/bin/sh\necho hello\n" * 100,
        "nested": deb(lzma.compress(tar(fine)), control_text("evil-nested").encode()),
        "version-3": deb(tar(fine), control_text("evil-version-3").encode()).replace(b"2.0\n", b"3.0\n", 1),
        "bomb": None,
    }
    return made, special


def bomb():
    """Two gigabytes of zeros in a file of a few hundred kilobytes."""
    info = tarfile.TarInfo("./usr/share/planted-zeros")
    info.size = 2 << 30
    packer = lzma.LZMACompressor(preset=0)
    parts = [packer.compress(info.tobuf(tarfile.GNU_FORMAT))]
    block = b"\0" * (1 << 24)
    parts += [packer.compress(block) for _ in range(info.size >> 24)]
    parts += [packer.compress(b"\0" * 1024), packer.flush()]
    control_tar = tar([entry("./control", control_text("evil-bomb").encode())])
    return ar([("debian-binary", b"2.0\n"), ("control.tar.xz", lzma.compress(control_tar)), ("data.tar.xz", b"".join(parts))])


def stanza(name, path, data):
    return (control_text(name) + f"Filename: {path}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n")


def add_to_index(top, stanzas):
    dist = os.path.join(top, "debian", "dists", "test")
    sums = []
    for arch in ("amd64", "arm64"):
        folder = f"main/binary-{arch}"
        with open(os.path.join(dist, folder, "Packages")) as f:
            text = f.read()
        if arch == "arm64":
            text += "\n" + "\n".join(stanzas)
        for suffix, data in (("", text.encode()), (".xz", lzma.compress(text.encode(), preset=0))):
            digest = hashlib.sha256(data).hexdigest()
            for path in (os.path.join(dist, folder, "Packages" + suffix), os.path.join(dist, folder, "by-hash", "SHA256", digest)):
                with open(path, "wb") as f:
                    f.write(data)
            sums.append(f" {digest} {len(data)} {folder}/Packages{suffix}")
    with open(os.path.join(top, "sums"), "w") as f:
        f.write("\n".join(sums) + "\n")


def main():
    top, canary = os.path.abspath(sys.argv[1]), sys.argv[2]
    only = sys.argv[3:]
    made, special = packages(canary)
    files = {name: deb(data, control_text("evil-" + name).encode()) for name, data in made.items()}
    files.update({name: data for name, data in special.items() if data})
    if "bomb" in only:
        files["bomb"] = bomb()
    stanzas = []
    for name, data in files.items():
        if only and name not in only:
            continue
        path = f"pool/main/evil-{name}_1_arm64.deb"
        with open(os.path.join(top, "debian", path), "wb") as f:
            f.write(data)
        stanzas.append(stanza("evil-" + name, path, data))
    add_to_index(top, stanzas)
    release = os.path.join(os.path.dirname(os.path.abspath(__file__)), "release.py")
    subprocess.run([sys.executable, release, top], check=True)


if __name__ == "__main__":
    main()
