#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scripted server for unit tests of the HTTP and registry clients.

Reads a line for each server that is wanted, {"script": RULES, "log": LOG, "layout": OCIDIR,
"cert": C.pem, "key": K.pem} with or without the last three, and answers "PORT OTHER PID\\n" once
that server listens on both ports; all of them end when its stdin is closed.
RULES has a rule a line, of words in any order; ' and " hold one together, \\ is itself. The first
rule that fits a request and is not used up answers it:
  GET         method;  /v2/x  path with its query: a regular expression for all of it, which begins
              with / . ( or http://
  n=N         how often it may be used; without it for ever
  auth=TEXT   wanted Authorization, exactly
  port=other  only requests to the second port
  404         status;  'Name: value'  a header of the answer, in which {port} {other} {n} stand for
              the ports and for the number of the request
  body=TEXT   repeat=N  so often;  file=PATH  from a file;  flip=N  with this byte inverted
  norange     Range is ignored
  cut=N       close the connection after so many bytes of the body; short: claim only these
  claim=N     Content-Length that is told instead of the real one
  stall=N     seconds to wait before the answer
Without a rule: 200 for /v2/, manifests by tag or digest and blobs of the layout, else 404.
Every request becomes one JSON line of the log: port method path headers length.
"""
import http.server
import json
import os
import re
import select
import shlex
import signal
import ssl
import sys
import threading
import time
import urllib.parse

LOCK = threading.Lock()


NUMBERS = {"n": int, "repeat": int, "flip": int, "cut": int, "claim": int, "stall": float}
TEXTS = ("auth", "port", "body", "file")


def rule_of(line):
    words = shlex.shlex(line, posix=True, punctuation_chars=False)
    words.whitespace_split, words.escape, words.commenters = True, "", ""
    rule = {"headers": []}
    for w in words:
        key, _, value = w.partition("=")
        if re.match(r"[/.(]|http://", w):
            rule["p"] = w
        elif re.fullmatch(r"[A-Z]+", w):
            rule["m"] = w
        elif re.fullmatch(r"\d{3}", w):
            rule["status"] = int(w)
        elif re.match(r"[A-Za-z-]+: ", w):
            rule["headers"].append(w.split(": ", 1))
        elif key in TEXTS or key in NUMBERS:
            rule[key] = NUMBERS.get(key, str)(value)
        elif w in ("norange", "short"):
            rule[w] = True
        else:
            raise ValueError(f"no word of a rule: {w}")
    return rule


def layout_answer(layout, method, path):
    m = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/]+)", path)
    if not m or not layout or method not in ("GET", "HEAD"):
        return None
    ref, kind = m.group(3), "application/octet-stream"
    if m.group(2) == "manifests" and not ref.startswith("sha256:"):
        with open(os.path.join(layout, "index.json"), encoding="utf-8") as f:
            for d in json.load(f)["manifests"]:
                if d.get("annotations", {}).get("org.opencontainers.image.ref.name") == ref:
                    ref, kind = d["digest"], d["mediaType"]
    name = os.path.join(layout, "blobs", "sha256", ref[7:])
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", ref) or not os.path.exists(name):
        return None
    if m.group(2) == "manifests" and kind == "application/octet-stream":
        with open(name, encoding="utf-8") as f:
            kind = json.load(f).get("mediaType", "application/vnd.oci.image.manifest.v1+json")
    return {"file": name, "headers": [["Content-Type", kind], ["Docker-Content-Digest", ref]]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pick(self):
        auth = self.headers.get("Authorization")
        for rule in self.server.rules:
            with LOCK:
                if rule.get("n", 1) <= 0:
                    continue
                if not re.fullmatch(rule.get("m", ".*"), self.command):
                    continue
                if not re.fullmatch(rule.get("p", ".*"), self.path):
                    continue
                if "auth" in rule and rule["auth"] != auth:
                    continue
                if rule.get("port", self.server.role) != self.server.role:
                    continue
                if "n" in rule:
                    rule["n"] -= 1
                return rule
        path = urllib.parse.urlsplit(self.path).path
        if path in ("/v2/", "/v2"):
            return {"body": "{}"}
        missing = {"status": 404, "headers": [["Content-Type", "application/json"]],
                   "body": '{"errors":[{"code":"UNKNOWN","message":"nothing here"}]}'}
        return layout_answer(self.server.layout, self.command, path) or missing

    def body_of(self, rule):
        data = rule.get("body", "").encode() * rule.get("repeat", 1)
        if "file" in rule:
            with open(rule["file"], "rb") as f:
                data = f.read()
        if "flip" in rule:
            i = rule["flip"]
            data = data[:i] + bytes([data[i] ^ 1]) + data[i + 1:]
        return data

    def handle_any(self):
        sent = b""
        if self.headers.get("Content-Length"):
            sent = self.rfile.read(int(self.headers["Content-Length"]))
        with LOCK:
            self.server.count[0] += 1
            number = self.server.count[0]
            with open(self.server.log, "a", encoding="utf-8") as f:
                f.write(json.dumps({"port": self.server.role, "method": self.command, "path": self.path,
                                    "headers": dict(self.headers), "length": len(sent),
                                    "body": sent[:200].decode("latin-1")}) + "\n")
        rule = self.pick()
        time.sleep(rule.get("stall", 0))
        data = self.body_of(rule)
        status, start = rule.get("status", 200), 0
        rng = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if rng and status == 200 and not rule.get("norange"):
            start = int(rng.group(1))
            status = 206 if start < len(data) else 416
        self.send_response(status)
        for k, v in rule.get("headers", []):
            for name, value in self.server.words.items():
                v = v.replace("{" + name + "}", str(value))
            self.send_header(k, v.replace("{n}", str(number)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        part = data[start:] if status != 416 else b""
        cut = max(rule["cut"] - start, 0) if "cut" in rule else None
        claim = cut if rule.get("short") else rule.get("claim", len(part))
        self.send_header("Content-Length", str(claim))
        self.end_headers()
        try:
            if self.command != "HEAD":
                self.wfile.write(part if cut is None else part[:cut])
                self.wfile.flush()
        except OSError:
            pass
        if cut is not None or "claim" in rule:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def serve(args):
    with open(args["script"], encoding="utf-8") as f:
        rules = [rule_of(line) for line in f]
    servers = [Server(("127.0.0.1", 0), Handler) for _ in range(2)]
    words = {"port": servers[0].server_port, "other": servers[1].server_port}
    count = [0]
    for role, s in zip(("main", "other"), servers):
        s.role, s.rules, s.words, s.count = role, rules, words, count
        s.log, s.layout = args["log"], args.get("layout")
        if args.get("cert"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(args["cert"], args["key"])
            s.socket = context.wrap_socket(s.socket, server_side=True)
        threading.Thread(target=s.serve_forever, daemon=True).start()
    print(words["port"], words["other"], os.getpid(), flush=True)
    closed = select.poll()
    closed.register(0, 0)  # only that it is closed; what can be read is for the parent
    closed.poll()
    os._exit(0)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    line = b""
    while True:
        c = os.read(0, 1)
        if not c:
            break
        line += c
        if c != b"\n":
            continue
        if os.fork() == 0:
            serve(json.loads(line))
        line = b""


main()
