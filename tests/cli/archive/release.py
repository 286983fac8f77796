#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes and signs dists/test/InRelease of an archive made by make.py, or that of another suite with the same files.

Usage: release.py DIRECTORY [--suite NAME] [--date SECONDS] [--valid-until SECONDS] [--codename NAME] [--unsigned]
"""

import argparse
import os
import subprocess
import time


def stamp(seconds):
    return time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime(seconds))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--suite", default="test")
    parser.add_argument("--date", type=int, default=int(time.time()) - 3600)
    parser.add_argument("--valid-until", type=int)
    parser.add_argument("--codename")
    parser.add_argument("--unsigned", action="store_true")
    args = parser.parse_args()
    with open(os.path.join(args.directory, "sums")) as f:
        sums = f.read()
    text = f"Origin: Test\nSuite: {args.suite}\nCodename: {args.codename or args.suite}\nDate: {stamp(args.date)}\n"
    if args.valid_until:
        text += f"Valid-Until: {stamp(args.valid_until)}\n"
    text += f"Acquire-By-Hash: yes\nArchitectures: amd64 arm64\nComponents: main\nSHA256:\n{sums}"
    path = os.path.join(args.directory, "debian", "dists", args.suite, "InRelease")
    if args.unsigned:
        with open(path, "w") as f:
            f.write(text)
        return
    env = dict(os.environ, GNUPGHOME=os.path.join(args.directory, "gnupg"))
    done = subprocess.run(["gpg", "--batch", "--quiet", "--digest-algo", "SHA256", "--clearsign", "--output", "-"],
                          input=text.encode(), stdout=subprocess.PIPE, check=True, env=env)
    with open(path, "wb") as f:
        f.write(done.stdout)


if __name__ == "__main__":
    main()
