#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make bench-plots: cost against size for files, bytes, layers and steps (run and cached), to show that growth is linear.

Only bld is measured, BENCH_ROUNDS (3) times each. Every series has a point at size 0, which is its
constant cost. Writes one SVG each to BENCH_DIR (default: a new directory), JSON lines to
BENCH_JSON (build/plots.jsonl), and for each series the least-squares line and the exponent of
growth: the slope of log(time - time at 0) over log(size), for the sizes of the last decade.
1.0 is linear.
"""
import math
import os
import shutil
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import contexts  # noqa: E402
import peers  # noqa: E402
import workloads  # noqa: E402
from harness import Bench, say  # noqa: E402

FILES = [0, 1000, 2000, 5000, 10000, 20000, 35000, 50000]
MEGABYTES = [0, 1, 16, 64, 128, 256, 512, 768, 1024]
LAYERS = [0, 1, 20, 40, 60, 80, 100, 120]
STEPS = [0, 1, 25, 50, 75, 100, 150, 200]
COLOURS = ["#1f5fa8", "#b3541e"]


def files(b):
    d = b.dockerfile("files", "FROM scratch\nCOPY . /src\n")
    for n in FILES:
        ctx = contexts.tree(b.path("files%d" % n), n, 1024)
        yield "new", n, lambda ctx=ctx: b.me.build(d, ctx)
        b.run(*b.me.build(d, ctx, cache=True))
        b.run(*b.me.build(d, ctx, cache=True))
        yield "cached", n, lambda ctx=ctx: b.me.build(d, ctx, cache=True)


def size(b):
    d = b.dockerfile("bytes", "FROM scratch\nCOPY big /big\n")
    for n in MEGABYTES:
        contexts.big(b.path("bytes%d" % n, "big"), n << 20)
        yield "one file", n, lambda n=n: b.me.build(d, b.path("bytes%d" % n))


def layers(b):
    ctx = b.path("w1")
    for n in LAYERS:
        d = b.dockerfile("layers", "FROM bench-base\n" + "".join("COPY one /d%d/one\n" % i for i in range(n)))
        b.run(*b.me.build(d, ctx, "-t", "bench-layers%d" % n, cache=True))
        run = b.dockerfile("layers%d" % n, "FROM bench-layers%d\n" % n + 'RUN ["/bin/true"]\n')
        b.run(*b.me.build(run, ctx))
        yield "RUN on top", n, lambda run=run: b.me.build(run, ctx)
        copy = b.dockerfile("copies%d" % n, "FROM bench-base\n" + "".join("COPY one /e%d/one\n" % i for i in range(n)))
        yield "COPY steps", n, lambda copy=copy: b.me.build(copy, ctx)


def steps(b):
    for n in STEPS:
        d = b.dockerfile("steps%d" % n, "FROM bench-base\n" + "".join("RUN true %d\n" % i for i in range(n)))
        yield "run", n, lambda d=d: b.me.build(d, b.path("w1"))


def cached(b):
    for n in STEPS:
        d = b.dockerfile("cached%d" % n, "FROM bench-base\n" + "".join("RUN true %d\n" % i for i in range(n)))
        b.run(*b.me.build(d, b.path("w1"), cache=True))
        yield "cached", n, lambda d=d: b.me.build(d, b.path("w1"), cache=True)


PLOTS = [("files", files, "files of 1 KiB in a COPY"), ("bytes", size, "MiB in one file of a COPY"),
         ("layers", layers, "layers"), ("steps", steps, "RUN true steps"), ("cached", cached, "cached RUN steps")]


def line(points):
    """Least squares of y = a + b x."""
    n = len(points)
    mx, my = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    slope = sum((x - mx) * (y - my) for x, y in points) / sum((x - mx) ** 2 for x, _ in points)
    return my - slope * mx, slope


def exponent(points):
    zero, top = dict(points)[0], max(x for x, _ in points)
    logs = [(math.log(x), math.log(y - zero)) for x, y in points if x >= top / 10 and y > zero]
    return line(logs)[1] if len(logs) > 2 else float("nan")


def nice(top):
    """A step that gives four to eight ticks."""
    step = 10 ** math.floor(math.log10(top))
    return next(step * f for f in (1, .5, .2, .1) if top / (step * f) >= 4)


def svg(title, unit, series):
    w, h, left, low = 640, 400, 70, 350
    top_x = max(x for s in series.values() for x, _ in s)
    top_y = max(y for s in series.values() for _, v in s for y in v) * 1.05

    def px(x):
        return left + x / top_x * (w - left - 20)

    def py(y):
        return low - y / top_y * (low - 40)

    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">' % (w, h),
           '<rect width="100%" height="100%" fill="white"/>',
           '<text x="%d" y="20" font-size="14">%s</text>' % (left, title)]
    for top, pos in ((top_x, "x"), (top_y, "y")):
        step = nice(top)
        for i in range(int(top / step) + 1):
            v = i * step
            text = "%g" % v
            if pos == "x":
                out.append('<path d="M%.1f %d v5" stroke="black"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>' % (
                    px(v), low, px(v), low + 18, text))
            else:
                out.append('<path d="M%d %.1f H%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>' % (
                    left, py(v), w - 20, left - 6, py(v) + 4, text))
    out.append('<path d="M%d 40 V%d H%d" stroke="black" fill="none"/>' % (left, low, w - 20))
    out.append('<text x="%d" y="%d" text-anchor="middle">%s</text>' % ((left + w) / 2, h - 12, unit))
    out.append('<text x="14" y="36">seconds</text>')
    for k, (name, points) in enumerate(series.items()):
        medians = [(x, statistics.median(v)) for x, v in points]
        a, slope = line(medians)
        c = COLOURS[k % len(COLOURS)]
        x0 = max(0, -a / slope) if slope > 0 else 0  # from where the line is above 0
        out.append('<path d="M%.1f %.1f L%.1f %.1f" stroke="%s" stroke-dasharray="4 3"/>' % (
            px(x0), py(a + slope * x0), px(top_x), py(a + slope * top_x), c))
        out += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s" fill-opacity=".5"/>' % (px(x), py(y), c)
                for x, v in points for y in v]
        out.append('<text x="%d" y="%d" fill="%s">%s: %.3g s + %.3g us each, exponent %.2f</text>' % (
            left + 12, 52 + 16 * k, c, name, a, slope * 1e6, exponent(medians)))
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    b = Bench("plots.jsonl")
    b.me = peers.Bld(b)
    workloads.base(b)
    contexts.small(b.path("w1", "one"), b"hello\n" * 100)
    only = os.environ.get("BENCH_ONLY", "").split()
    rounds = int(os.environ.get("BENCH_ROUNDS", 3))
    for name, sweep, unit in PLOTS:
        if only and name not in only:
            continue
        say(name)
        points = list(sweep(b))
        series = {}
        for i in range(rounds):
            for s, x, argv in points:
                if b.timed("plot-" + name, "bld", argv(), series=s, size=x, round=i):
                    series.setdefault(s, {}).setdefault(x, []).append(b.records[-1]["wall_s"])
        series = {s: sorted(v.items()) for s, v in series.items()}
        for s, v in series.items():
            medians = [(x, statistics.median(t)) for x, t in v]
            a, slope = line(medians)
            print("%-7s %-11s %8.2f ms + %10.3f us each; exponent of growth %.2f" % (
                name, s, a * 1e3, slope * 1e6, exponent(medians)))
        path = b.path("bench-%s.svg" % name)
        with open(path, "w") as f:
            f.write(svg("bld: time against size, %s" % unit, unit, series))
        shutil.copy(path, b.build)
    print("plots: %s/bench-*.svg, also in the work directory, to be removed by you: %s" % (b.build, b.dir))


main()
