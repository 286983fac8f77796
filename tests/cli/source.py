#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Unpacks the upstream source of a Debian source package into a directory, verified by the signed index.

Usage: source.py PACKAGE DIRECTORY

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


def main():
    package, directory = sys.argv[1], os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory() as work:
        for name in ("state/lists/partial", "cache/archives/partial", "etc", "source"):
            os.makedirs(os.path.join(work, name))
        with open(os.path.join(work, "etc", "sources.list"), "w") as f:
            f.write(f"deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror()} bookworm main\n")
        options = ["-o", f"Dir::State={work}/state", "-o", f"Dir::Cache={work}/cache", "-o", "APT::Sandbox::User=root",
                   "-o", f"Dir::Etc::SourceList={work}/etc/sources.list", "-o", "Dir::Etc::SourceParts=/dev/null"]
        subprocess.run(["apt-get", "update", "-q"] + options, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["apt-get", "source", "-q", "--download-only", package] + options, check=True,
                       stdout=subprocess.DEVNULL, cwd=os.path.join(work, "source"))
        tars = glob.glob(os.path.join(work, "source", "*.orig.tar.*"))
        tars = [t for t in tars if not t.endswith(".asc")]
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        subprocess.run(["tar", "-xf", tars[0], "-C", directory, "--strip-components=1"], check=True)


if __name__ == "__main__":
    main()
