#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command and prints the peak resident memory, in MB, of the largest xbuild or xbuild-supply process below it.

Samples /proc every 5 ms (VmHWM is a high-water mark, so a sample just before the end of a process tells its peak).
Usage: peak.py COMMAND...
"""

import os
import subprocess
import sys
import time


def processes():
    """Every process of the machine: its number, and what /proc says of it."""
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        try:
            with open(f"/proc/{pid}/status") as f:
                text = f.read()
        except OSError:
            continue
        yield int(pid), dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def peaks(top):
    """Of the processes of ours that are top or below it: others may run an xbuild too."""
    found = dict(processes())
    for pid, status in found.items():
        above = pid
        while above in found and above != top:
            above = int(found[above]["PPid"])
        if above == top and status["Name"].strip() in ("xbuild", "xbuild-supply") and "VmHWM" in status:
            yield int(status["VmHWM"].split()[0]) / 1000


def main():
    peak = 0.0
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None:
        peak = max([peak, *peaks(process.pid)])
        time.sleep(0.005)
    if process.returncode:
        sys.stderr.write(process.stderr.read().decode())
        sys.exit(process.returncode)
    print(f"{peak:.1f}")


if __name__ == "__main__":
    main()
