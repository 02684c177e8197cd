#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes reference.json: paired ratios computed by SciPy, to check paired-ratio.ts and median.ts against.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1
    venv/bin/python analysis/stats/reference.py > analysis/stats/reference.json
"""
import json

import numpy
import scipy
from scipy import stats

rng = numpy.random.default_rng(20240817)
cases = [
    ("five blocks, clearly faster", [0.136, 0.138, 0.143, 0.140, 0.137], [0.237, 0.226, 0.242, 0.229, 0.247]),
    ("two blocks", [0.081, 0.069], [0.080, 0.071]),
    ("three blocks, slower", [24.2, 20.7, 23.1], [1.1, 7.4, 1.07]),
    ("nearly without spread", [1.0000001, 2.0000003, 3.0], [1.0, 2.0, 3.0]),
    ("large values", [22700.0, 22400.0, 12400.0, 10900.0], [22800.0, 22800.5, 22799.0, 22801.0]),
    ("far apart", [1e-9, 2e12, 5e3, 7.0], [1e9, 1e-3, 4e3, 7.5]),
]
for n in (10, 30, 200):
    base = rng.lognormal(0, 0.3, n)
    cases.append((f"{n} random blocks", list(base * rng.lognormal(-0.05, 0.1, n)), list(base)))

out = []
for title, value, baseline in cases:
    test = stats.ttest_rel(numpy.log(value), numpy.log(baseline))
    interval = test.confidence_interval(0.95)
    out.append(
        {
            "title": title,
            "value": [float(x) for x in value],
            "baseline": [float(x) for x in baseline],
            "ratio": float(stats.gmean(numpy.array(value) / numpy.array(baseline))),
            "low": float(numpy.exp(interval.low)),
            "high": float(numpy.exp(interval.high)),
            "median": float(numpy.median(value)),
        }
    )
print(json.dumps({"scipy": scipy.__version__, "numpy": numpy.__version__, "cases": out}, indent=1))
