#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""timeone.py WORKLOAD WHO COMMAND...: run once, print one JSON line (wall, cpu, peak RSS of the largest process)."""
import json
import os
import subprocess
import sys
import time

name, who, cmd = sys.argv[1], sys.argv[2], sys.argv[3:]
start = time.monotonic()
child = subprocess.Popen(cmd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
_, err = child.communicate()
wall = time.monotonic() - start
import resource

u = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "workload": name, "who": who, "wall_s": round(wall, 5), "cpu_s": round(u.ru_utime + u.ru_stime, 5),
    "peak_mib": round(u.ru_maxrss / 1024, 1), "status": child.returncode,
    "load1": os.getloadavg()[0],
}))
if child.returncode:
    sys.stderr.write("%s %s failed: %s\n" % (name, who, err.decode(errors="replace")[-400:]))
