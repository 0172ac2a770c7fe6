#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry that misbehaves on request; the first part of a repository's name says how.

    faultregistry.py --layout OCIDIR --port-file F --log L [--other PORT-FILE2]

Tags are the names of images in the layout; pushes are kept in memory. NAME/anything:
  ok         nothing wrong           e401 e403 e404 e500 e503   this status for everything
  once429    429 with Retry-After: 1 once for each path, then all right
  once503    503 once for each path      reset     the connection is cut once in a blob
  truncated  blobs end early, for ever   wrongblob  one byte of each blob differs
  wrongmanifest  manifests differ from their digest    notjson  manifests are not JSON
  hugemanifest   a manifest of 64 MiB    hugelength  a manifest that only claims 1 TiB
  redirect   blobs are on another origin (a second port of this program), which refuses requests
             that carry credentials
  basic      wants Basic alice:secret    nomount   refuses cross-repository mounts with 403
  put202     answers a POST with ?digest= with 202      pushfail  every upload is 500
  oci415 oci400  refuses manifests and indexes of OCI's media types, inside and out, and configurations
             and layers of them, with this status; a manifest list whose images are not there, with 400
  slow       blobs come one KiB a second     badjwt    a challenge that is garbage
Each request is one JSON line in the log: method, path, status, authorization, port.
"""
import argparse
import base64
import hashlib
import http.server
import json
import os
import threading
import time
import urllib.parse


class State:
    def __init__(self, layout):
        self.lock = threading.Lock()
        self.seen = set()
        self.blobs = {}
        self.manifests = {}
        self.uploads = {}
        self.layout = layout

    def first(self, key):
        with self.lock:
            new = key not in self.seen
            self.seen.add(key)
            return new

    def blob(self, digest, repo=None):
        if repo is not None and (repo, digest) in self.blobs:
            return self.blobs[(repo, digest)]
        path = os.path.join(self.layout, "blobs", "sha256", digest[7:])
        if digest.startswith("sha256:") and "/" not in digest and os.path.exists(path):
            with open(path, "rb") as f:
                return f.read()
        return None

    def manifest(self, repo, ref):
        if (repo, ref) in self.manifests:
            return self.manifests[(repo, ref)]
        if ref.startswith("sha256:"):
            data = self.blob(ref)
            return (data, json.loads(data).get("mediaType")) if data else None
        index = os.path.join(self.layout, "index.json")
        with open(index, encoding="utf-8") as f:
            for m in json.load(f)["manifests"]:
                if m.get("annotations", {}).get("org.opencontainers.image.ref.name") == ref:
                    return self.blob(m["digest"]), m["mediaType"]
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def note(self, status):
        line = {"method": self.command, "path": self.path, "status": status,
                "auth": self.headers.get("Authorization"), "port": self.server.server_port,
                "length": self.headers.get("Content-Length")}
        with self.server.state.lock, open(self.server.log, "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")

    def answer(self, status, body=b"", **headers):
        self.note(status)
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()
        if self.command != "HEAD":
            try:
                self.wfile.write(body)
            except OSError:
                pass

    def error(self, status, code="FAULT", **headers):
        body = json.dumps({"errors": [{"code": code, "message": "scripted fault"}]}).encode()
        self.answer(status, body, Content_Type="application/json", **headers)

    def handle_any(self):
        url = urllib.parse.urlsplit(self.path)
        query = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
        body = b""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        elif self.headers.get("Content-Length"):
            body = self.rfile.read(int(self.headers["Content-Length"]))
        if url.path in ("/v2/", "/v2"):
            return self.answer(200, b"{}")
        if url.path.startswith("/elsewhere/"):
            if self.headers.get("Authorization"):
                return self.error(400, "CREDENTIALS_SENT")
            data = self.server.state.blob(url.path.rpartition("/")[2])
            return self.answer(200, data) if data is not None else self.error(404)
        if url.path.startswith("/file/"):
            data = b"served " + url.path[6:].encode()
            return self.answer(200, data, Last_Modified="Tue, 02 Jan 2024 03:04:05 GMT",
                               Content_Type="text/plain")
        for part in ("/manifests/", "/blobs/uploads/", "/blobs/"):
            if part in url.path:
                repo, _, ref = url.path[4:].partition(part)
                break
        else:
            return self.error(404)
        fault = repo.partition("/")[0]
        if fault[:1] == "e" and fault[1:].isdigit():
            extra = {"WWW_Authenticate": 'Basic realm="x"'} if fault == "e401" else {}
            return self.error(int(fault[1:]), **extra)
        if fault in ("once429", "once503") and self.server.state.first((self.command, url.path)):
            return self.error(int(fault[4:]), **({"Retry_After": "1"} if fault == "once429" else {}))
        if fault == "basic":
            want = "Basic " + base64.b64encode(b"alice:secret").decode()
            if self.headers.get("Authorization") != want:
                return self.error(401, "UNAUTHORIZED", WWW_Authenticate='Basic realm="test"')
        if fault == "badjwt" and not self.headers.get("Authorization"):
            return self.error(401, "UNAUTHORIZED", WWW_Authenticate='Bearer realm="::not a url",,,"')
        if part == "/manifests/":
            return self.manifest(fault, repo, ref, body)
        if part == "/blobs/uploads/":
            return self.upload(fault, repo, ref, query, body)
        return self.blob(fault, repo, ref)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def manifest(self, fault, repo, ref, body):
        state = self.server.state
        if self.command == "PUT":
            digest = "sha256:" + hashlib.sha256(body).hexdigest()
            kind = self.headers.get("Content-Type")
            if fault in ("oci415", "oci400"):
                missing = [m for m in json.loads(body).get("manifests", [])
                           if (repo, m["digest"]) not in state.manifests]
                if "vnd.oci." in kind or b"vnd.oci." in body:
                    return self.error(int(fault[3:]), "MANIFEST_INVALID")
                if missing:
                    return self.error(400, "MANIFEST_BLOB_UNKNOWN")
            state.manifests[(repo, ref)] = state.manifests[(repo, digest)] = (body, kind)
            return self.answer(201, Docker_Content_Digest=digest, Location="/v2/" + repo)
        found = state.manifest(repo, ref)
        if found is None:
            return self.error(404, "MANIFEST_UNKNOWN")
        data, kind = found
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        if fault == "wrongmanifest":
            data = data + b" "
        elif fault == "notjson":
            data = b"<html>this is not json</html>"
            digest = "sha256:" + hashlib.sha256(data).hexdigest()
        elif fault == "hugemanifest":
            data = b'{"schemaVersion":2,"x":"' + b"a" * (64 << 20) + b'"}'
            digest = "sha256:" + hashlib.sha256(data).hexdigest()
        elif fault == "hugelength":
            self.close_connection = True
            return self.answer(200, data, Content_Type=kind, Docker_Content_Digest=digest,
                               Content_Length=str(1 << 40))
        return self.answer(200, data, Content_Type=kind, Docker_Content_Digest=digest)

    def blob(self, fault, repo, digest):
        state = self.server.state
        data = state.blob(digest, repo)
        if self.command == "HEAD":
            own = (repo, digest) in state.blobs
            return self.answer(200, data) if own else self.error(404, "BLOB_UNKNOWN")
        if data is None:
            return self.error(404, "BLOB_UNKNOWN")
        if fault == "redirect":
            host, port = self.server.other.server_address
            return self.answer(307, Location=f"http://{host}:{port}/elsewhere/{digest}")
        if fault == "wrongblob":
            data = bytes([data[0] ^ 1]) + data[1:] if len(data) < 64 else \
                data[:60] + bytes([data[60] ^ 1]) + data[61:]
        start = 0
        want = self.headers.get("Range", "")
        if want.startswith("bytes=") and want.endswith("-"):
            start = int(want[6:-1])
        cut = None
        if fault == "truncated" or fault == "reset" and state.first(digest):
            cut = len(data) // 2
        if start:
            self.note(206)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.note(200)
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        part = data[start:cut] if cut is not None else data[start:]
        try:
            if fault == "slow":
                for i in range(0, len(part), 1024):
                    self.wfile.write(part[i:i + 1024])
                    self.wfile.flush()
                    time.sleep(1)
            else:
                self.wfile.write(part)
        except OSError:
            pass
        if cut is not None:
            self.close_connection = True
            self.connection.close()

    def upload(self, fault, repo, ref, query, body):
        state = self.server.state
        if fault == "pushfail":
            return self.error(500)
        if self.command == "POST":
            if "mount" in query:
                key = (query.get("from"), query["mount"])
                if fault == "nomount":
                    return self.error(403, "DENIED")
                if key in state.blobs:
                    state.blobs[(repo, query["mount"])] = state.blobs[key]
                    return self.answer(201, Location=f"/v2/{repo}/blobs/{query['mount']}")
            ident = os.urandom(6).hex()
            state.uploads[ident] = b""
            return self.answer(202, Location=f"/v2/{repo}/blobs/uploads/{ident}?state=x", Range="0-0")
        if ref not in state.uploads:
            return self.error(404, "BLOB_UPLOAD_UNKNOWN")
        if self.command == "DELETE":
            del state.uploads[ref]
            return self.answer(204)
        state.uploads[ref] += body
        if self.command == "PATCH":
            return self.answer(202, Location=f"/v2/{repo}/blobs/uploads/{ref}?state=y",
                               Range=f"0-{len(state.uploads[ref]) - 1}")
        data = state.uploads.pop(ref)
        if query.get("digest") != "sha256:" + hashlib.sha256(data).hexdigest():
            return self.error(400, "DIGEST_INVALID")
        state.blobs[(repo, query["digest"])] = data
        return self.answer(201, Location=f"/v2/{repo}/blobs/{query['digest']}")

    def log_message(self, *args):
        pass


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name in ("layout", "port-file", "log"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--addresses", default="127.0.0.1,127.0.0.1", help="of the registry and of the other origin")
    args = p.parse_args()
    state = State(args.layout)
    servers = [http.server.ThreadingHTTPServer((a, 0), Handler) for a in args.addresses.split(",")]
    for s, other in zip(servers, reversed(servers)):
        s.state, s.log, s.other, s.daemon_threads = state, args.log, other, True
    open(args.log, "a", encoding="utf-8").close()
    with open(args.port_file + ".new", "w", encoding="ascii") as f:
        f.write(str(servers[0].server_port))
    os.rename(args.port_file + ".new", args.port_file)
    threading.Thread(target=servers[1].serve_forever, daemon=True).start()
    servers[0].serve_forever()


main()
