# SPDX-License-Identifier: Apache-2.0
"""A token server for docker-registry ("Token Authentication Specification"): u and p get what they ask for, others nothing.

token_server.py KEY CERTIFICATE PORT_FILE LOG: signs with the key by the openssl program; each request is a line of LOG.
"""
import base64, http.server, json, os, subprocess, sys, time, urllib.parse

key, certificate, port_file, log = sys.argv[1:]
url64 = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
der = subprocess.run(["openssl", "x509", "-in", certificate, "-outform", "DER"], check=True, capture_output=True).stdout


def token(access):
    now = int(time.time())
    claims = {"iss": "tests", "sub": "u", "aud": "tests", "exp": now + 300, "nbf": now - 10, "iat": now, "jti": str(now),
              "access": access}
    header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
    text = url64(json.dumps(header).encode()) + "." + url64(json.dumps(claims).encode())
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(), check=True,
                               capture_output=True).stdout
    return text + "." + url64(signature)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        known = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"u:p").decode()
        with open(log, "a") as f:
            print("known" if known else "anonymous", " ".join(query.get("scope", [])), file=f)
        access = []
        for scope in query.get("scope", []) if known else []:
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        body = json.dumps({"token": token(access), "expires_in": 300}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(port_file + ".new", "w") as f:
    f.write(str(server.server_port))

os.rename(port_file + ".new", port_file)
server.serve_forever()
