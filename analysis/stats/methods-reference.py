#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes, as JSON, what SciPy makes of the vectors in a CSV with the columns case, a, b.

    apt-get install python3-scipy python3-pandas
    /usr/bin/python3 analysis/stats/methods-reference.py analysis/stats/vectors.csv > analysis/stats/reference-scipy.json
"""
import json
import sys

import numpy
import pandas
import scipy
from scipy import optimize, stats


def detectable(n):
    """Effect in standard errors at which a two-sided one-sample t test at 5 % has a power of 80 %."""
    critical = stats.t.ppf(0.975, n - 1)
    power = lambda d: stats.nct.sf(critical, n - 1, d) + stats.nct.cdf(-critical, n - 1, d)
    return optimize.brentq(lambda d: power(d) - 0.8, 0.5, 40, xtol=1e-13)


def case(title, own):
    a, b = own["a"].to_numpy(), own["b"].to_numpy()
    x = numpy.log(a / b)
    test = stats.ttest_1samp(x, 0)
    interval = test.confidence_interval(0.95)
    mean = lambda values, axis=-1: numpy.mean(values, axis=axis)
    flips = stats.permutation_test((x,), mean, permutation_type="samples", n_resamples=100000 if len(x) > 12 else numpy.inf, random_state=1)
    draw = lambda method: stats.bootstrap((x,), mean, n_resamples=100000, method=method, batch=1000, random_state=1).confidence_interval
    percentile, bca = draw("percentile"), draw("BCa")
    return {
        "title": title,
        "interval": [float(numpy.exp(interval.low)), float(numpy.exp(interval.high))],
        "pT": float(test.pvalue),
        "p": float(flips.pvalue),
        "percentile": [float(percentile.low), float(percentile.high)],
        "bca": [float(bca.low), float(bca.high)],
        # The number of pairs with a > b, ties as halves, is Mann and Whitney's U.
        "cliffsDelta": float(2 * stats.mannwhitneyu(a, b).statistic / (len(a) * len(b)) - 1),
    }


vectors = pandas.read_csv(sys.argv[1])
sizes = [2, 3, 4, 5, 8, 10, 20, 50, 200]
print(
    json.dumps(
        {
            "made": f"SciPy {scipy.__version__}, NumPy {numpy.__version__}",
            "cases": [case(title, own) for title, own in vectors.groupby("case", sort=False)],
            "power": {"n": sizes, "effect": [detectable(n) for n in sizes]},
        },
        indent=1,
    )
)
