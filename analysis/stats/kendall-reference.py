#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes kendall-reference.json: Kendall's tau-b computed by SciPy, to check kendall.ts against.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1
    venv/bin/python analysis/stats/kendall-reference.py > analysis/stats/kendall-reference.json
"""
import json

import numpy
import scipy
from scipy import stats

rng = numpy.random.default_rng(20261122)
cases = [
    ("equal order", [1, 2, 3, 4], [10, 20, 30, 40]),
    ("opposite order", [1, 2, 3, 4], [4, 3, 2, 1]),
    ("two values", [0.3, 0.1], [5.0, 7.0]),
    ("ties on one side", [1, 1, 2, 3, 3], [5, 4, 3, 2, 1]),
    ("ties on both sides", [12, 2, 1, 12, 2], [1, 4, 7, 1, 0]),
    ("the same pair twice", [1, 1, 2, 3], [4, 4, 2, 9]),
    ("values that differ in the last bit", [1.0, 1.0000000000000002, 0.9999999999999999], [1, 3, 2]),
]
for n in (5, 20, 44, 150):
    x = rng.lognormal(0, 0.4, n)
    cases.append((f"{n} related values", x, x * rng.lognormal(0, 0.3, n)))
    cases.append((f"{n} values with many ties", rng.integers(0, 5, n), rng.integers(0, 4, n)))

out = []
for title, x, y in cases:
    tau = stats.kendalltau(x, y, variant="b").statistic
    out.append({"title": title, "x": [float(v) for v in x], "y": [float(v) for v in y], "tau": float(tau)})
print(json.dumps({"scipy": scipy.__version__, "numpy": numpy.__version__, "cases": out}))
