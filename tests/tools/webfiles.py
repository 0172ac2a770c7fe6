#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small web server for tests, on 127.0.0.1.

    webfiles.py --root DIR --port-file FILE --log FILE

/files/...   files of DIR, with ETag and Last-Modified, 304 when the client has them
/plain/...   the same without either
/dated/...   only Last-Modified
/moved/...   302 to /files/...;  /loop  to itself
/smart/...   git repositories below DIR by git http-backend
/private/... the same, for user:pass@word and x-access-token:pass@word only
The log has one line a request: METHOD PATH STATUS [authorized].
"""
import argparse
import base64
import email.utils
import hashlib
import http.server
import os
import subprocess

WANT = ["Basic " + base64.b64encode(x).decode()
        for x in (b"user:pass@word", b"x-access-token:pass@word")]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        with open(self.server.log, "a") as f:
            auth = " authorized" if self.headers.get("Authorization") else ""
            print(self.command, self.path, status, auth, sep=" ", file=f)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        kind, _, rest = self.path.lstrip("/").partition("/")
        if kind in ("smart", "private"):
            return self.git(kind, rest)
        if kind == "loop":
            return self.answer(302, headers=[("Location", self.path)])
        if kind == "moved":
            return self.answer(302, headers=[("Location", "/files/" + rest)])
        path = os.path.join(self.server.root, rest.partition("?")[0])
        if not os.path.isfile(path):
            return self.answer(404, b"no such file\n")
        with open(path, "rb") as f:
            body = f.read()
        etag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        date = email.utils.formatdate(int(os.stat(path).st_mtime), usegmt=True)
        headers = []
        if kind == "files":
            headers.append(("ETag", etag))
        if kind in ("files", "dated"):
            headers.append(("Last-Modified", date))
        asked = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
        if headers and (asked[0] == etag or (not asked[0] and asked[1] == date)):
            return self.answer(304, headers=headers)
        return self.answer(200, body, headers)

    def do_POST(self):
        kind, _, rest = self.path.lstrip("/").partition("/")
        return self.git(kind, rest)

    def git(self, kind, rest):
        if kind == "private" and self.headers.get("Authorization") not in WANT:
            return self.answer(401, headers=[("WWW-Authenticate", 'Basic realm="x"')])
        path, _, query = rest.partition("?")
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while True:
                n = int(self.rfile.readline(), 16)
                body += self.rfile.read(n)
                self.rfile.readline()
                if not n:
                    break
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = dict(os.environ, GIT_PROJECT_ROOT=self.server.root, GIT_HTTP_EXPORT_ALL="1",
                   PATH_INFO="/" + path, QUERY_STRING=query, REQUEST_METHOD=self.command,
                   CONTENT_TYPE=self.headers.get("Content-Type", ""),
                   CONTENT_LENGTH=str(len(body)),
                   GIT_PROTOCOL=self.headers.get("Git-Protocol", ""))
        if self.headers.get("Content-Encoding"):
            env["HTTP_CONTENT_ENCODING"] = self.headers["Content-Encoding"]
        out = subprocess.run(["git", "http-backend"], input=body, env=env, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        head, _, body = out.partition(b"\r\n\r\n")
        status, headers = 200, []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            elif name:
                headers.append((name, value))
        return self.answer(status, body, headers)


def main():
    p = argparse.ArgumentParser()
    for name in ("root", "port-file", "log"):
        p.add_argument("--" + name, required=True)
    o = p.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.root, server.log = o.root, o.log
    with open(o.port_file + ".new", "w") as f:
        print(server.server_address[1], file=f)
    os.rename(o.port_file + ".new", o.port_file)
    server.serve_forever()


main()
