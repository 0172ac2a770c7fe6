#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Token server for docker-registry's token authentication.

    tokenserver.py --key K.pem --cert C.pem --port-file F --log L [--user U --password P]

GET /token?service=S&scope=repository:NAME:pull,push... answers a signed token. Everyone may pull
names below public/; the one user may do everything. A wrong password is 401. Each request is
logged as one JSON line: path, scopes, user, whether credentials came.
"""
import argparse
import base64
import http.server
import json
import os
import subprocess
import tempfile
import time
import urllib.parse


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(key, cert, claims):
    with open(cert, encoding="ascii") as f:
        der = "".join(x for x in f.read().split("\n") if x and not x.startswith("-----"))
    head = {"typ": "JWT", "alg": "RS256", "x5c": [der]}
    text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())
    with tempfile.NamedTemporaryFile() as f:
        f.write(text.encode())
        f.flush()
        sig = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key, f.name],
                             stdout=subprocess.PIPE, check=True).stdout
    return text + "." + b64(sig)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        args = self.server.args
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        auth = self.headers.get("Authorization", "")
        user = None
        ok = True
        if auth.startswith("Basic "):
            user, _, password = base64.b64decode(auth[6:]).decode().partition(":")
            ok = (user, password) == (args.user, args.password)
        scopes = [s for one in query.get("scope", []) for s in one.split(" ")]
        with open(args.log, "a", encoding="utf-8") as f:
            f.write(json.dumps({"path": url.path, "scopes": scopes, "user": user,
                                "service": query.get("service"), "ok": ok}) + "\n")
        if not ok:
            self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})
            return
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            wanted = actions.split(",")
            if user is None:
                wanted = [w for w in wanted if w == "pull" and name.startswith("public/")]
            access.append({"type": kind, "name": name, "actions": wanted})
        now = int(time.time())
        claims = {"iss": "bld-test", "sub": user or "", "aud": query.get("service", [""])[0],
                  "exp": now + 300, "nbf": now - 10, "iat": now, "jti": os.urandom(8).hex(),
                  "access": access}
        self.answer(200, {"token": sign(args.key, args.cert, claims), "expires_in": 300})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name in ("key", "cert", "port-file", "log"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--user", default="alice")
    p.add_argument("--password", default="s3cret:with colon")
    args = p.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.args = args
    with open(args.port_file + ".new", "w", encoding="ascii") as f:
        f.write(str(server.server_port))
    os.rename(args.port_file + ".new", args.port_file)
    server.serve_forever()


main()
