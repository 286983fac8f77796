#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gives a package of an archive made by make.py a newer version, and signs the archive again.

Usage: newer.py DIRECTORY PACKAGE VERSION [beside]

With "beside" the old version stays in the index.

The new version has the old one's file: enough for tests of locking, which read the index alone.
"""

import hashlib
import lzma
import os
import re
import subprocess
import sys


def main():
    directory, package, version = sys.argv[1:4]
    beside = sys.argv[4:] == ["beside"]
    sums = []
    for arch in ("amd64", "arm64"):
        folder = f"main/binary-{arch}"
        path = os.path.join(directory, "debian", "dists", "test", folder)
        with open(os.path.join(path, "Packages")) as f:
            stanzas = f.read().split("\n\n")
        if beside:
            stanzas[:0] = [s for s in stanzas if s.startswith(f"Package: {package}\n")]
        for i, stanza in enumerate(stanzas):
            if stanza.startswith(f"Package: {package}\n"):
                stanzas[i] = re.sub(r"^Version: .*$", f"Version: {version}", stanza, flags=re.M)
                if beside:
                    break
        text = "\n\n".join(stanzas).encode()
        for suffix, data in (("", text), (".xz", lzma.compress(text))):
            digest = hashlib.sha256(data).hexdigest()
            for name in ("Packages" + suffix, os.path.join("by-hash", "SHA256", digest)):
                with open(os.path.join(path, name), "wb") as f:
                    f.write(data)
            sums.append(f" {digest} {len(data)} {folder}/Packages{suffix}")
    with open(os.path.join(directory, "sums"), "w") as f:
        f.write("\n".join(sums) + "\n")
    subprocess.run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "release.py"), directory], check=True)


if __name__ == "__main__":
    main()
