#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Unpacks the upstream source of a Debian source package, or the crate in one of its librust packages, into a directory,
verified by the signed index.

Usage: source.py [--crate] PACKAGE DIRECTORY [RELEASE]

apt does the work, with a configuration of its own below a temporary directory: the mirror and keys are those of this
machine; nothing of the machine's own state is changed.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile


def mirror():
    text = ""
    for path in ["/etc/apt/sources.list"] + glob.glob("/etc/apt/sources.list.d/*"):
        if os.path.isfile(path):
            with open(path) as f:
                text += f.read() + "\n"
    found = re.search(r"(https?://\S+/debian)/?(?=\s|$)", text)
    return found.group(1) if found else sys.exit("no Debian mirror in this machine's apt sources")


def unpack_upstream(source, directory):
    tars = [t for t in glob.glob(os.path.join(source, "*.orig.tar.*")) if not t.endswith(".asc")]
    subprocess.run(["tar", "-xf", tars[0], "-C", directory, "--strip-components=1"], check=True)


def unpack_crate(source, directory):
    subprocess.run(["dpkg-deb", "-x", glob.glob(os.path.join(source, "*.deb"))[0], source], check=True)
    crate = glob.glob(os.path.join(source, "usr/share/cargo/registry/*"))[0]
    shutil.copytree(crate, directory, dirs_exist_ok=True)


def main():
    is_crate = sys.argv[1] == "--crate"
    package, directory = sys.argv[1 + is_crate], os.path.abspath(sys.argv[2 + is_crate])
    suite = sys.argv[3 + is_crate] if len(sys.argv) > 3 + is_crate else "bookworm"
    with tempfile.TemporaryDirectory() as work:
        source = os.path.join(work, "source")
        for name in ("state/lists/partial", "cache/archives/partial", "etc", "source"):
            os.makedirs(os.path.join(work, name))
        with open(os.path.join(work, "etc", "sources.list"), "w") as f:
            f.write(f"{'deb' if is_crate else 'deb-src'} [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
                    f"{mirror()} {suite} main\n")
        options = ["-o", f"Dir::State={work}/state", "-o", f"Dir::Cache={work}/cache", "-o", "APT::Sandbox::User=root",
                   "-o", f"Dir::Etc::SourceList={work}/etc/sources.list", "-o", "Dir::Etc::SourceParts=/dev/null"]
        fetch = ["download", package] if is_crate else ["source", "--download-only", "--tar-only", package]
        subprocess.run(["apt-get", "update", "-q"] + options, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["apt-get", "-q"] + fetch + options, check=True, stdout=subprocess.DEVNULL, cwd=source)
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        (unpack_crate if is_crate else unpack_upstream)(source, directory)


if __name__ == "__main__":
    main()
