#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts a program in a session of its own and sends it a signal.

Usage: strike.py SIGNAL group|one DELAY|/FILE=TEXT COMMAND...

DELAY is in seconds; /FILE=TEXT waits until FILE (absolute) holds TEXT. The signal goes to the whole process group or to the
program alone. Prints "STATUS SECONDS SURVIVORS": the exit status (128 + N when a signal ended it; of the program alone if
it ended before the signal), the time from the signal to its end, and how many processes of the session are left then.
"""

import os
import signal
import subprocess
import sys
import time


def survivors(session):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                words = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(words[3]) == session and words[0] != "Z":
            found.append(int(pid))
    return found


def wait_for(process, when):
    if not when.startswith("/"):
        try:
            process.wait(float(when))
        except subprocess.TimeoutExpired:
            pass
        return
    path, text = when.split("=", 1)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with open(path, errors="replace") as f:
                if text in f.read():
                    return
        except OSError:
            pass
        time.sleep(0.02)


def main():
    number = signal.Signals["SIG" + sys.argv[1]]
    group, when, command = sys.argv[2] == "group", sys.argv[3], sys.argv[4:]
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(each, signal.SIG_DFL)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    wait_for(process, when)
    start = time.monotonic()
    if process.poll() is None:
        if group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    status = process.wait()
    took = time.monotonic() - start
    left = survivors(process.pid)
    if left and number == signal.SIGKILL:
        # init has yet to reap what was killed with it
        for _ in range(200):
            left = survivors(process.pid)
            if not left:
                break
            time.sleep(0.01)
    print(128 - status if status < 0 else status, f"{took:.2f}", len(left))
    for pid in left:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
