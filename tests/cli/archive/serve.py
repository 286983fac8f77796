#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves a directory on loopback, with faults on demand.

Usage: serve.py DIRECTORY PORT-FILE LOG-FILE FAULTS-FILE

Writes its port to PORT-FILE when it listens, and one line per request to LOG-FILE. FAULTS-FILE (may be missing, is read
for every request) has lines "PATTERN FAULT [ARGUMENT]"; the first line whose fnmatch pattern fits the path counts:

  flip OFFSET      one bit of the byte at OFFSET is wrong
  truncate BYTES   the connection closes after so many bytes of the body, Range requests are honoured
  cut BYTES        only the first BYTES are served, as a complete file
  endless          bytes without end and without Content-Length
  stall BYTES      stops sending after BYTES, keeps the connection
  status CODE      answers with CODE
  slow BYTES       so many bytes per second
It ends by itself after two hours, or when its parent is gone.
"""

import fnmatch
import functools
import http.server
import os
import sys
import threading
import time

LIFE_SECONDS = 7200


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, root, log, faults, *args):
        self.root, self.log, self.faults = root, log, faults
        super().__init__(*args)

    def log_message(self, *args):
        pass

    def fault(self):
        try:
            with open(self.faults) as f:
                for line in f:
                    words = line.split()
                    if len(words) >= 2 and fnmatch.fnmatch(self.path, words[0]):
                        return words[1], int(words[2]) if len(words) > 2 else 0
        except FileNotFoundError:
            pass
        return None, 0

    def do_GET(self):
        kind, number = self.fault()
        with open(self.log, "a") as f:
            f.write(f"{self.path} {self.headers.get('Range', '-')} {kind or '-'}\n")
        path = os.path.normpath(os.path.join(self.root, self.path.lstrip("/")))
        if kind == "status":
            self.send_response(number)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if not path.startswith(self.root + os.sep) or not os.path.isfile(path):
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        with open(path, "rb") as f:
            body = f.read()
        if kind == "endless":
            self.endless()
            return
        if kind == "flip":
            number = min(number, len(body) - 1)
            body = body[:number] + bytes([body[number] ^ 1]) + body[number + 1:]
        if kind == "cut":
            body = body[:number]
        self.send_body(body, kind, number)

    def send_body(self, body, kind, number):
        start = 0
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and wanted.endswith("-"):
            start = min(int(wanted[6:-1]), len(body))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body) - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", '"fixed"')
        self.end_headers()
        part = body[start:]
        if kind == "truncate":
            self.wfile.write(part[:number])
            self.wfile.flush()
            self.close_connection = True
        elif kind == "stall":
            self.wfile.write(part[:number])
            self.wfile.flush()
            time.sleep(60)
        elif kind == "slow":
            for at in range(0, len(part), number):
                self.wfile.write(part[at:at + number])
                self.wfile.flush()
                time.sleep(1)
        else:
            self.wfile.write(part)

    def endless(self):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        block = b"\0" * 65536
        for _ in range(200000):
            self.wfile.write(block)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


def end_later(parent):
    for _ in range(LIFE_SECONDS):
        time.sleep(1)
        if os.getppid() != parent:
            break
    os._exit(0)


def main():
    root, port_file, log, faults = sys.argv[1:5]
    root = os.path.abspath(root)
    server = Server(("127.0.0.1", 0), functools.partial(Handler, root, log, faults))
    threading.Thread(target=end_later, args=(os.getppid(),), daemon=True).start()
    with open(port_file + ".new", "w") as f:
        f.write(f"{server.server_address[1]}\n")
    os.rename(port_file + ".new", port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
