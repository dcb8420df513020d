#!/usr/bin/env python3
"""How far published rates of GPUs tell how fast a program is on them: the fit behind src/plan/what_if.cpp, and what it is worth.

Least squares of log(rate on B / rate on A) over all ordered pairs of boards within a suite and a precision, on the logarithms of
three published ratios (memory bandwidth, dense 16-bit matrix rate, FP32 rate), with exponents that sum to one. Then: how many
ratios lie within the roofline's bounds, how many within the interval that ships, and how many when the fit has not seen one of
the boards, or the program. Standard library only.

    tools/fit_gpu_speed.py
"""

import csv
import itertools
import math
import os

HERE = os.path.dirname(os.path.abspath(__file__))
WEIGHTS = (0.64, 0.23, 0.13)  # as they ship
ALIKE, STRANGE, STRANGE_FROM = 0.2, 0.7, 0.5


def rows(*path):
    with open(os.path.join(HERE, "..", *path)) as f:
        return list(csv.DictReader(line for line in f if not line.startswith("#")))


def ratios():
    """(board A, board B, program, suite, log of the measured ratio, the logs of the three published ones)"""
    boards = {r["name"]: [math.log(float(r[k])) for k in ("bandwidth_gbs", "matrix_tflops", "fp32_tflops")] for r in rows("data", "gpu_throughput.csv")}
    measured = [r for r in rows("tests", "plan", "gpu_training.csv") if r["boards"] == "1"]
    out = []
    for a, b in itertools.permutations(measured, 2):
        if (a["suite"], a["precision"]) != (b["suite"], b["precision"]) or a["gpu"] == b["gpu"]:
            continue
        published = [y - x for x, y in zip(boards[a["gpu"]], boards[b["gpu"]])]
        for program in list(a)[4:]:
            if a[program] and b[program]:
                out.append((a["gpu"], b["gpu"], program, a["suite"] + " " + a["precision"], math.log(float(b[program]) / float(a[program])), published))
    return out


def fit(data):
    """Exponents that sum to one: m − b = w_t (t − b) + w_s (s − b)."""
    xx = xy = yy = xm = ym = 0.0
    for *_, m, (b, t, s) in data:
        x, y = t - b, s - b
        xx, xy, yy, xm, ym = xx + x * x, xy + x * y, yy + y * y, xm + x * (m - b), ym + y * (m - b)
    d = xx * yy - xy * xy
    w_t, w_s = (yy * xm - xy * ym) / d, (xx * ym - xy * xm) / d
    return 1 - w_t - w_s, w_t, w_s


def width(published):
    return ALIKE + (STRANGE - ALIKE) * min(1, (max(published) - min(published)) / STRANGE_FROM)


def error(m, published, weights):
    return abs(m - sum(w * p for w, p in zip(weights, published)))


def held(data, weights):
    return sum(error(m, p, weights) <= width(p) for *_, m, p in data) / len(data)


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def scaling():
    """log(rate on N boards / rate on one) / log N"""
    measured = rows("tests", "plan", "gpu_training.csv")
    out = []
    for a, b in itertools.product(measured, measured):
        if a["boards"] != "1" or b["boards"] == "1" or any(a[k] != b[k] for k in ("suite", "precision", "gpu")):
            continue
        out += [math.log(float(b[p]) / float(a[p])) / math.log(int(b["boards"])) for p in list(a)[4:] if a[p] and b[p]]
    return out


def main():
    data = ratios()
    print(f"{len(data)} ratios of {len({r[0] for r in data})} boards")
    print("exponents of bandwidth, matrix, FP32:", " ".join(f"{w:.3f}" for w in fit(data)))
    errors = [error(m, p, WEIGHTS) for *_, m, p in data]
    print(f"half lie within a factor of {math.exp(quantile(errors, 0.5)):.2f}, nine tenths within {math.exp(quantile(errors, 0.9)):.2f}")
    between = [min(p[:2]) <= m <= max(p[:2]) for *_, m, p in data]
    between3 = [min(p) <= m <= max(p) for *_, m, p in data]
    print(f"between bandwidth and matrix rate: {sum(between) / len(data):.3f}; with FP32 as a third bound: {sum(between3) / len(data):.3f}")
    print(f"within the interval that ships: {held(data, WEIGHTS):.3f}")
    for suite in sorted({r[3] for r in data}):
        print(f"  {suite}: {held([r for r in data if r[3] == suite], WEIGHTS):.3f}")
    print("held, where the fit has not seen")
    for board in sorted({r[0] for r in data}):
        unseen = fit([r for r in data if board not in r[:2]])
        print(f"  {board}: {held([r for r in data if board in r[:2]], unseen):.3f}")
    for program in sorted({r[2] for r in data}):
        unseen = fit([r for r in data if r[2] != program])
        print(f"  {program}: {held([r for r in data if r[2] == program], unseen):.3f}")
    more = scaling()
    print(f"rate = boards^x: x 5 % {quantile(more, 0.05):.2f}, half {quantile(more, 0.5):.2f}, 95 % {quantile(more, 0.95):.2f} of {len(more)}")
    watts = rows("tests", "plan", "gpu_power_share.csv")
    limits = {r["name"]: float(r["tdp_w"]) for r in rows("data", "gpu_power.csv")}
    loads = [float(r[b]) / limits[b] / (float(r[a]) / limits[a]) for r in watts for a, b in itertools.permutations(list(r)[1:], 2)]
    print(f"share of the power limit, one board to another: 5 % {quantile(loads, 0.05):.2f}, 95 % {quantile(loads, 0.95):.2f} of {len(loads)}")


if __name__ == "__main__":
    main()
