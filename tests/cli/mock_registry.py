# SPDX-License-Identifier: Apache-2.0
"""A registry in memory that does on request what real ones do on bad days.

mock_registry.py PORT_FILE LOG [SWITCH[=VALUE]]...    serves http on 127.0.0.1 until it is killed

Every request is a line of LOG: method, path, how many bytes of body came, kind of Authorization, status. A second port (in
PORT_FILE behind the first) stands for somebody else's storage: a request there with Authorization or Cookie, or with a form for
a token, is logged as LEAK.

Uploads      relative, query      Location relative; with a query to keep
             elsewhere            Location on the second port; userinfo: with a user name in it; nolocation: none
             drop=N[:K]           the connection ends after N bytes of body, K times (1); what came is kept
             hold=N               stops reading after N bytes until the file LOG.go exists; once
             lost                 forgets an upload whose connection broke
             nochunks, minchunk=N PATCH is refused; OCI-Chunk-Min-Length
             unanswered           the last PUT is done, but not answered; once
             wrongupload          the last PUT is answered with another digest
             nomount              mounts are refused
             forgetful            once a tag is there, one blob is lost; once
Everything   busy=K, busydate=K   the first K requests get 429, Retry-After in seconds or as a date; bad=K: 502 and HTML; wait=S:
                                  429 that asks to wait S seconds; after=S: the 429 of busy do, instead of 1
             warn                 Warning: 299
             errors               manifests are refused with an error of the registry's own words
Reading      redirect             blobs are 307 to the second port; dropget=N[:K]: they break off after N bytes
             norange              Range is not understood; otherpart: another part than was asked for
             wrongblob, wrongmanifest: other bytes; othermanifest: and their digest; moreblob: more bytes; wrongput: another digest
             moretags=N           N tags more than were pushed
             page=N               tags in pages, Link relative; pageaway: the next page is on the second port
             referrers            the API is there, and OCI-Subject is answered
Logins       basic                u and p; bearer: tokens for u and p; identity: for the identity token T, by POST;
             oldidentity: the POST does not exist, u and p do
             uses=N               a token is good for N requests; scope: tokens at first lack what was not challenged
             realm=URL            where tokens are said to be; manychallenges: others around the one that counts
             tokenaway            requests for tokens are 307 to the second port
             asks                 the second port challenges too, with a realm of its own
"""
import base64, email.utils, hashlib, http.server, json, os, re, sys, threading, time, urllib.parse

port_file, log_file, *words = sys.argv[1:]
switches = dict((w.split("=", 1) + [""])[:2] for w in words)
lock = threading.RLock()
blobs, manifests, tags, types, uploads, tokens = {}, {}, {}, {}, {}, {}
counts = {}


def number(name):
    return int(switches[name].split(":")[0])


def times(name, default=1):
    """True the first K times, where the switch says N:K or the default holds."""
    if name not in switches:
        return False
    limit = int(switches[name].split(":")[1]) if ":" in switches[name] else default
    with lock:
        counts[name] = counts.get(name, 0) + 1
        return counts[name] <= limit


def log(line):
    with lock, open(log_file, "a") as f:
        print(line, file=f)


digest_of = lambda data: "sha256:" + hashlib.sha256(data).hexdigest()


class Dropped(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        if "warn" in switches:
            self.send_header("Warning", '299 - "this registry closes on friday"')
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name.replace("_", "-"), one)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        # before the answer goes out: who has it may read the log at once
        auth = self.headers.get("Authorization", "-").split()[0]
        log(f"{self.command} {self.path} {self.taken} {auth} {status}")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        if not self.read_all:
            self.close_connection = True

    def error(self, status, code, message=""):
        self.answer(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(), Content_Type="application/json")

    def body(self, keep=None):
        """Reads the body, into `keep` (a bytearray) as it comes."""
        left, data = int(self.headers.get("Content-Length") or 0), keep if keep is not None else bytearray()
        stop = number("drop") if "drop" in switches and keep is not None and left > number("drop") and times("drop") else None
        hold = number("hold") if "hold" in switches and keep is not None and left > number("hold") and times("hold") else None
        while left:
            size = min(left, 65536)
            for limit in (stop, hold):
                if limit is not None:
                    size = max(1, min(size, limit - self.taken)) if self.taken < limit else size
            part = self.rfile.read(size)
            if not part:
                raise Dropped
            data += part
            left -= len(part)
            self.taken += len(part)
            if hold is not None and self.taken >= hold:
                hold = None
                log(f"HOLD {self.path}")
                while not os.path.exists(log_file + ".go"):
                    time.sleep(0.02)
            if stop is not None and self.taken >= stop:
                raise Dropped
        self.read_all = True
        return bytes(data)

    def handle_all(self):
        self.taken, self.read_all = 0, not int(self.headers.get("Content-Length") or 0)
        try:
            self.route()
        except (Dropped, ConnectionError):
            log(f"{self.command} {self.path} {self.taken} - dropped")
            if "lost" in switches:
                uploads.clear()
            self.close_connection = True
            self.connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_all

    # ---- logins

    def give_token(self, query):
        known = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"u:p").decode()
        if "tokenaway" in switches:
            self.body()
            return self.answer(307, Location=f"http://127.0.0.1:{other.server_port}{self.path}")
        if self.command == "POST":
            form = urllib.parse.parse_qs(self.body().decode())
            if "oldidentity" in switches:
                return self.answer(404)
            known = "identity" in switches and form.get("refresh_token") == ["T"] and form.get("grant_type") == ["refresh_token"]
            query = {"scope": form.get("scope", [""])[0].split()}
        if not known:
            return self.error(401, "UNAUTHORIZED")
        scopes = query.get("scope", [])
        if "scope" in switches and not tokens:
            scopes = [s.replace(",push", "") for s in scopes]
        token = f"token{len(tokens)}"
        tokens[token] = [int(switches.get("uses", 10 ** 9)), scopes]
        self.answer(200, json.dumps({"access_token": token, "expires_in": 300}).encode())

    def may(self, repo, action):
        if "basic" in switches:
            if self.headers.get("Authorization") == "Basic " + base64.b64encode(b"u:p").decode():
                return True
            self.body()
            self.answer(401, WWW_Authenticate='Basic realm="a, Bearer realm=b"')
            return False
        if not {"bearer", "identity", "oldidentity"} & set(switches):
            return True
        with lock:
            token = tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
            if token and token[0] > 0:
                token[0] -= 1
                for scope in token[1]:
                    kind, name, actions = scope.rsplit(":", 2) if scope.count(":") > 1 else ("", "", "")
                    if name == repo and action in actions.split(","):
                        return True
                insufficient = ',error="insufficient_scope"'
            else:
                insufficient = ""
        self.body()
        realm = switches.get("realm") or f"http://{self.headers['Host']}/token"
        bearer = f'Bearer realm="{realm}",service="mock",scope="repository:{repo}:pull,push"{insufficient}'
        if "manychallenges" in switches:
            bearer = ["Negotiate", f'Digest qop="auth, auth-int", nonce="x\\"y", {bearer}, Basic realm="later"']
        self.answer(401, WWW_Authenticate=bearer)
        return False

    # ---- the protocol

    def route(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path == "/token":
            return self.give_token(query)
        for name, default in (("busy", 1), ("busydate", 1), ("bad", 1), ("wait", 1)):
            if name in switches and times(name, number(name) if name != "wait" else 10 ** 9):
                self.body()
                if name == "bad":
                    return self.answer(502, b"<html>bad gateway</html>", Content_Type="text/html")
                when = email.utils.formatdate(time.time() + 2, usegmt=True) if name == "busydate" else switches.get("wait", switches.get("after", "1"))
                return self.answer(429, Retry_After=when)
        m = re.fullmatch(r"/v2/(.+)/(manifests|blobs|tags|referrers)/(.+?)/?", url.path)
        if not m:
            return self.answer(200 if url.path == "/v2/" else 404)
        repo, kind, name = m.groups()
        if not self.may(repo, "pull" if self.command in ("GET", "HEAD") and "uploads" not in name else "push"):
            return None
        return getattr(self, kind)(repo, name, query)

    def manifests(self, repo, name, query):
        if self.command == "PUT":
            data = self.body()
            if "errors" in switches:
                return self.error(403, "DENIED", "quota\x1b[2J of acme is used up")
            document = json.loads(data)
            parts = [document["config"]] + document["layers"] if "config" in document else document.get("manifests", [])
            for part in parts:
                if "urls" not in part and part["digest"] not in blobs.get(repo, {}) and part["digest"] not in manifests.get(repo, {}):
                    return self.error(404, "MANIFEST_BLOB_UNKNOWN", part["digest"])
            digest = digest_of(data)
            manifests.setdefault(repo, {})[digest] = data
            types[digest] = self.headers["Content-Type"]
            if not name.startswith("sha256:"):
                tags.setdefault(repo, {})[name] = digest
                if times("forgetful"):
                    blobs[repo].popitem()
            elif name != digest:
                return self.error(400, "DIGEST_INVALID")
            headers = {"Docker_Content_Digest": digest_of(b"x") if "wrongput" in switches else digest}
            if "subject" in document and "referrers" in switches:
                headers["OCI_Subject"] = document["subject"]["digest"]
            return self.answer(201, **headers)
        digest = tags.get(repo, {}).get(name, name)
        data = manifests.get(repo, {}).get(digest)
        if data is None:
            return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if "wrongmanifest" in switches and self.command == "GET":
            data = data.replace(b"linux", b"minix")
        if "othermanifest" in switches and self.command == "GET":
            data = data.replace(b"linux", b"minix")
            return self.answer(200, data, Content_Type=types[digest], Docker_Content_Digest=digest_of(data), Content_Length=str(len(data)))
        return self.answer(200, data, Content_Type=types[digest], Docker_Content_Digest=digest, Content_Length=str(len(data)))

    def tags(self, repo, name, query):
        names = sorted(tags.get(repo, {})) + ["more-%d" % i for i in range(number("moretags") if "moretags" in switches else 0)]
        last = query.get("last", [""])[0]
        names = [n for n in names if n > last]
        headers = {}
        if "page" in switches and len(names) > number("page"):
            names = names[:number("page")]
            place = f"http://127.0.0.1:{other.server_port}" if "pageaway" in switches else ""
            headers["Link"] = f'<{place}/v2/{repo}/tags/list?n=1&last={names[-1]}>; rel="next"'
        return self.answer(200, json.dumps({"name": repo, "tags": names}).encode(), **headers)

    def referrers(self, repo, name, query):
        if "referrers" not in switches:
            return self.answer(404)
        found = [(d, json.loads(data)) for d, data in manifests.get(repo, {}).items()]
        found = [{"mediaType": types[d], "digest": d, "size": len(manifests[repo][d]), "artifactType": doc.get("artifactType")}
                 for d, doc in found if doc.get("subject", {}).get("digest") == name]
        return self.answer(200, json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                                            "manifests": found}).encode())

    def blobs(self, repo, name, query):
        if name.startswith("uploads"):
            return self.upload(repo, name, query)
        data = blobs.get(repo, {}).get(name)
        if data is None:
            return self.error(404, "BLOB_UNKNOWN")
        if self.command == "HEAD":
            return self.answer(200, Content_Length=str(len(data)))
        if "redirect" in switches:
            return self.answer(307, Location=f"http://127.0.0.1:{other.server_port}{self.path}")
        return self.send_blob(data)

    def send_blob(self, data):
        if "wrongblob" in switches:
            data = b"X" + data[1:]
        if "moreblob" in switches:
            data += b"X"
        start, headers, status, whole = 0, {}, 200, len(data)
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted and "norange" not in switches:
            start, status = int(wanted[1]), 206
            headers["Content_Range"] = f"bytes {start + ('otherpart' in switches)}-{whole - 1}/{whole}"
        data = data[start:]
        if "dropget" in switches and len(data) > number("dropget") and times("dropget"):
            self.answer(status, data[:number("dropget")], Content_Length=str(len(data)), **headers)
            self.wfile.flush()
            raise Dropped
        return self.answer(status, data, **headers)

    def place(self, repo, key):
        path = f"/v2/{repo}/blobs/uploads/{key}"
        if "query" in switches:
            path += f"?_state=s{uploads[key][1]}%3D"
        if "relative" in switches:
            return path
        host = f"127.0.0.1:{other.server_port}" if "elsewhere" in switches else self.headers["Host"]
        return f"http://{'u:p@' if 'userinfo' in switches else ''}{host}{path}"

    def upload(self, repo, name, query):
        key = name.removeprefix("uploads").strip("/")
        if self.command == "POST":
            self.body()
            if "mount" in query:
                if "nomount" in switches:
                    return self.error(405, "UNSUPPORTED")
                data = blobs.get(query["from"][0], {}).get(query["mount"][0])
                if data is not None:
                    blobs.setdefault(repo, {})[query["mount"][0]] = data
                    return self.answer(201, Location=f"/v2/{repo}/blobs/{query['mount'][0]}")
            with lock:
                key = f"u{len(counts)}{time.time_ns()}"
                uploads[key] = [bytearray(), 0]
            headers = {"OCI_Chunk_Min_Length": switches["minchunk"]} if "minchunk" in switches else {}
            if "nolocation" not in switches:
                headers["Location"] = self.place(repo, key)
            return self.answer(202, **headers)
        if key not in uploads:
            self.body()
            return self.error(404, "BLOB_UPLOAD_UNKNOWN")
        data = uploads[key][0]
        if "query" in switches and query.get("_state") != [f"s{uploads[key][1]}="]:
            self.body()
            return self.error(400, "BLOB_UPLOAD_INVALID", "state")
        if self.command == "PATCH":
            if "nochunks" in switches:
                self.body()
                return self.error(405, "UNSUPPORTED")
            start, end = map(int, self.headers["Content-Range"].split("-"))
            if start != len(data):
                self.body()
                return self.answer(416)
            if "minchunk" in switches and end - start + 1 < number("minchunk"):
                log(f"SMALL {end - start + 1}")
        if self.command in ("PATCH", "PUT"):
            self.body(data)
        if self.command == "PUT":
            return self.finish_upload(repo, key, query)
        uploads[key][1] += self.command == "PATCH"
        headers = {"Range": f"0-{max(len(data), 1) - 1}", "Location": self.place(repo, key)}
        return self.answer(202 if self.command == "PATCH" else 204, **headers)

    def finish_upload(self, repo, key, query):
        data = bytes(uploads.pop(key)[0])
        if digest_of(data) != query["digest"][0]:
            return self.error(400, "DIGEST_INVALID", "content does not match")
        blobs.setdefault(repo, {})[query["digest"][0]] = data
        if times("unanswered"):
            raise Dropped
        digest = digest_of(b"x") if "wrongupload" in switches else query["digest"][0]
        return self.answer(201, Docker_Content_Digest=digest, Location=f"/v2/{repo}/blobs/{digest}")


class Storage(Handler):
    """Somebody else: takes uploads and gives blobs by their address alone."""

    def route(self):
        if self.headers.get("Authorization") or self.headers.get("Cookie"):
            log(f"LEAK {self.command} {self.path}")
            self.body()
            return self.answer(500)
        if urllib.parse.urlsplit(self.path).path == "/token":
            if self.body():
                log(f"LEAK {self.command} {self.path}")
            return self.answer(401)
        if "asks" in switches:
            self.body()
            return self.answer(401, WWW_Authenticate=f'Bearer realm="http://127.0.0.1:{other.server_port}/token",service="mock"')
        repo, name = re.fullmatch(r"/v2/(.+)/blobs/(.+)", urllib.parse.urlsplit(self.path).path).groups()
        if self.command == "GET" and not name.startswith("uploads"):
            return self.send_blob(blobs[repo][name])
        return self.upload(repo, name, urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, ValueError)):
            log(f"BUG {error!r}")


other = Server(("127.0.0.1", 0), Storage)
server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=other.serve_forever, daemon=True).start()
with open(port_file + ".new", "w") as f:
    f.write(f"{server.server_port} {other.server_port}")
os.rename(port_file + ".new", port_file)
server.serve_forever()
