#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes vectors.csv, on which R and SciPy check the statistics: pairs of values in named cases.

    /usr/bin/python3 analysis/stats/vectors.py > analysis/stats/vectors.csv
"""
import random

random.seed(20261125)
cases = {
    "five blocks, clearly faster": zip([0.136, 0.138, 0.143, 0.140, 0.137], [0.237, 0.226, 0.242, 0.229, 0.247]),
    "three blocks, slower": zip([24.2, 20.7, 23.1], [1.1, 7.4, 1.07]),
    "far apart": zip([1e-9, 2e12, 5e3, 7.0], [1e9, 1e-3, 4e3, 7.5]),
    "with ties": zip([2.0, 2.0, 3.0, 1.0, 4.0, 2.0], [1.0, 2.0, 1.5, 1.0, 4.5, 1.0]),
}
for n in (8, 12, 25, 60):
    base = [random.lognormvariate(0, 0.3) for _ in range(n)]
    cases[f"{n} log-normal blocks"] = [(b * random.lognormvariate(-0.05, 0.1), b) for b in base]
cases["30 skewed blocks"] = [(1 + random.expovariate(4), 1 + random.expovariate(5)) for _ in range(30)]
print("case,a,b")
for title, pairs in cases.items():
    for a, b in pairs:
        print(f'"{title}",{a!r},{b!r}')
