#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every conformance case through docker and buildah as well: make check-docker LAB=DIR

    check.py [--again | --retry] [--record] [NAME-PREFIX...]

Each case runs three times: with bld, and with each judge in bld's place (as.sh). A judge agrees when
the expectations of the case hold for what it made, and its tree and configuration are those of bld.
Where it does not, reasons.txt has to say why; what it does not say, and what it says in vain, is a
failure. A reason that begins with "not asked: " keeps the case from a judge that it would end. The table
lands in $BUILD/judges/cases.md. KEEP=1 keeps the work directory.

$BUILD/judges/cases.jsonl has a line a case, so that a run that was stopped goes on where it was, and
cases that have changed since are run; --again runs all, --retry those that disagree without a reason.
JUDGES=docker (or buildah) asks only that one; --record puts a line for each judge into done.tsv when
all cases were asked.
"""
import argparse
import concurrent.futures
import fnmatch
import hashlib
import json
import os
import subprocess
import sys

import lab
import ledger

CASES = os.path.join(lab.REPO, "tests", "conformance", "cases")
NEW = 1750000000  # contexts are older than this, whatever a build makes is newer


def reasons():
    out = []
    with open(os.path.join(lab.HERE, "reasons.txt"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                names, _, why = line.partition(": ")
                case, judge = names.split()
                out.append((case, judge, why.strip()))
    return out


def explained(table, case, judge, used):
    for row in table:
        if fnmatch.fnmatch(case, row[0]) and fnmatch.fnmatch(judge, row[1]):
            used.add(row)
            return row[2]
    return None


def run(work, who, case, env):
    directory = f"{work}/{who}/{case}"
    os.makedirs(f"{directory}/ctx", exist_ok=True)
    env = dict(env, WORK=work, BLD_CONFORMANCE="judge", JUDGE=who,
               BLD=lab.BLD if who == "bld" else os.path.join(lab.HERE, "as.sh"))
    try:
        done = subprocess.run(["bash", f"{lab.REPO}/tests/conformance/case.sh", f"{CASES}/{case}",
                               directory], env=env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                              errors="replace")
    except subprocess.TimeoutExpired:
        return directory, 1, ["no end within 300 s"]
    text = done.stdout.strip().splitlines()
    for name in ("out", "err"):
        path = f"{directory}/{name}"
        if done.returncode and os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as f:
                text += f.read().strip().splitlines()[-4:]
    return directory, done.returncode, text


def digest_of(case):
    digest = hashlib.sha256()
    for where, dirs, files in os.walk(f"{CASES}/{case}"):
        dirs.sort()
        for name in sorted(files):
            with open(f"{where}/{name}", "rb") as f:
                digest.update(name.encode() + b"\0" + f.read() + b"\0")
    return digest.hexdigest()[:16]


def judge(work, case, env, table, have):
    """-> {judge: [] when it agrees, else what it does otherwise}. have: what is known already"""
    if all(who in have for who in ("bld", *lab.JUDGES)):
        return have
    plain = not any(os.path.exists(f"{CASES}/{case}/{f}") for f in ("test.sh", "expect-error"))
    name = f"localhost/case-{case}:latest"
    here, rc, text = run(work, "bld", case, env)
    result = dict(have, bld=text[-3:] or ["failed"] if rc else [])
    for who in lab.JUDGES:
        if who in have:
            continue
        if (explained(table, case, who, set()) or "").startswith("not asked: "):
            result[who] = ["not asked"]
            continue
        there, rc, text = run(work, who, case, env)
        if any("Cannot connect to the Docker daemon" in line for line in text):
            raise RuntimeError(f"{case}: no dockerd answers any more")
        found = text[:8] or ["failed"] if rc else []
        if not found and plain:
            found = lab.differences((f"{here}/store", name), (f"{there}/store", name), NEW)
        result[who] = found
        if not os.environ.get("KEEP"):
            lab.clear(there)
    if not os.environ.get("KEEP"):
        lab.clear(here)
    return result


def earlier(state, a, table):
    """What earlier runs have found out: {case: {judge: differences}}"""
    known = {}
    if os.path.exists(state) and not a.again:
        with open(state, encoding="utf-8") as f:
            for row in map(json.loads, f):
                if row["digest"] == digest_of(row["case"]):
                    known.setdefault(row["case"], {}).update(row["result"])
    if a.retry:
        known = {c: {w: found for w, found in r.items() if not found or explained(table, c, w, set())}
                 for c, r in known.items()}
    return known


def ask(cases, work, env, table, known, state):
    """All cases, the results written down as they come."""
    results = {}
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool, \
            open(state, "a", encoding="utf-8") as out:
        todo = {pool.submit(judge, work, c, env, table, known.get(c, {})): c for c in cases}
        for future in concurrent.futures.as_completed(todo):
            case = todo[future]
            results[case] = future.result()
            if results[case] != known.get(case):
                out.write(json.dumps({"case": case, "digest": digest_of(case),
                                      "result": results[case]}) + "\n")
                out.flush()
    return results


def report(results, table):
    used, bad = set(), 0
    lines = ["| case | bld | docker | buildah |", "|---|---|---|---|"]
    for case in sorted(results):
        row = [case]
        for who in ("bld", *lab.JUDGES):
            found = results[case][who]
            why = explained(table, case, who, used) if found else None
            if not found:
                row.append("as stated" if who == "bld" else "agrees")
            elif why:
                row.append(why)
            else:
                bad += 1
                row.append("**unexplained**: " + "; ".join(found)[:400].replace("|", "\\|"))
                print(f"not ok - {case}: {who}")
                print("\n".join("# " + line[:300] for line in found[:12]))
        lines.append("| " + " | ".join(row) + " |")
    return lines, bad, [r for r in table if r not in used]


def record(results, table):
    for who in lab.JUDGES:
        found = {c: r[who] for c, r in results.items() if r[who]}
        asked = {c: f for c, f in found.items() if f != ["not asked"]}
        why = sum(bool(explained(table, c, who, set())) for c in asked)
        ledger.add(ledger.commit(), f"cases {who}", str(len(results)),
                   {"same": len(results) - len(found), "refused": len(found) - len(asked),
                    "explained": why, "unexplained": len(asked) - why}, "-")


def main():
    why = lab.ready()
    if why:
        print(f"check-docker: {why}", file=sys.stderr)
        return 2
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("--again", action="store_true")
    p.add_argument("--retry", action="store_true")
    p.add_argument("--record", action="store_true")
    p.add_argument("prefixes", nargs="*")
    a = p.parse_args()
    prefixes = tuple(a.prefixes)
    table = reasons()
    cases = sorted(c for c in os.listdir(CASES) if not prefixes or c.startswith(prefixes))
    os.makedirs(f"{lab.BUILD}/judges", exist_ok=True)
    state = f"{lab.BUILD}/judges/cases.jsonl"
    known = earlier(state, a, table)
    if a.again and os.path.exists(state):
        os.unlink(state)
    work = lab.workdir()
    env = {k: v for k, v in os.environ.items()
           if k.lower() not in ("http_proxy", "https_proxy", "no_proxy", "source_date_epoch")}
    # The scripts start many a python3: this one, not a wrapper that looks for it first.
    env["PATH"] = os.path.dirname(sys.executable) + ":" + env["PATH"]
    env.update(HOME=f"{work}/home", BUILD=lab.BUILD, TOOLS=lab.TOOLS, REPO=lab.REPO, LAB=lab.LAB)
    os.makedirs(env["HOME"])
    lab.fresh()
    layout = lab.base_images(work)
    server = subprocess.Popen(
        [sys.executable, f"{lab.TOOLS}/faultregistry.py", "--layout", layout, "--port-file",
         f"{work}/port", "--log", f"{work}/requests"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        env["URL"] = f"http://127.0.0.1:{lab.port_of(server, f'{work}/port')}/file"
        results = ask(cases, work, env, table, known, state)
    finally:
        server.kill()
        server.wait()
        for who in lab.JUDGES:
            lab.forget(who, [f"localhost/case-{c}" for c in cases])
        if not os.environ.get("KEEP"):
            lab.clear(work)
    lines, bad, stale = report(results, table)
    with open(f"{lab.BUILD}/judges/cases.md", "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    if not prefixes and len(lab.JUDGES) == 2:
        for row in stale:
            print(f"not ok - reasons.txt: \"{row[0]} {row[1]}\" is needed by no case")
        bad += len(stale)
    if a.record and not prefixes:
        record(results, table)
    agree = sum(not results[c][w] for c in results for w in lab.JUDGES)
    print(f"{len(cases)} cases, {agree} of {len(lab.JUDGES) * len(cases)} verdicts agree; "
          f"the table: {lab.BUILD}/judges/cases.md")
    print(f"{len(cases) - bad if bad < len(cases) else 0} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
