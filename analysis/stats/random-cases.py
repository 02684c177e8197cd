#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the figures of random-cases.ts, on standard input, with those of SciPy and statsmodels; its header has the command."""
import collections
import json
import sys

import numpy as np
from scipy import optimize, special, stats

try:
    from statsmodels.stats.multitest import multipletests
except ImportError:
    # From the papers' definitions instead; the last line says so.
    def multipletests(p, method):
        p, m = np.array(p), len(p)
        order = np.argsort(p)
        steps = p[order] * (m - np.arange(m) if method == "holm" else m / (1 + np.arange(m)))
        run = np.maximum.accumulate(steps) if method == "holm" else np.minimum.accumulate(steps[::-1])[::-1]
        adjusted = np.empty(m)
        adjusted[order] = np.minimum(1, run)
        return None, adjusted

TOLERANCE = 1e-9
counts = collections.Counter()
wrong = []


def same(where, own, theirs, scale=None):
    counts[where.split(" ")[0]] += 1
    own = float("nan") if own is None else float(own)
    if own == theirs or abs(own - theirs) <= TOLERANCE * max(abs(theirs), 1e-3 if scale is None else scale):
        return
    wrong.append(f"{where}: {own!r}, SciPy {theirs!r}")


def same_log(where, own, theirs):
    """Ends of ratios by their logarithms, on the scale of the interval: beyond what a number can be both are 0 or infinite."""
    own = float(own)
    with np.errstate(over="ignore", under="ignore"):
        value = float(np.exp(theirs))
        # Below 2e-308 numbers have fewer digits, and no logarithm tells more.
        if value < 1e-300 or value == np.inf:
            return same(where, own, value)
    same(where, np.log(own), theirs, max(1.0, abs(theirs)))


def quantile(p, df):
    """SciPy's own is good to 1e-9 only for some degrees of freedom; Newton's steps on its tail bring the rest."""
    t = abs(stats.t.ppf(p, df))
    tail = min(p, 1 - p)
    for _ in range(4):
        density = stats.t.pdf(t, df)
        if t == 0 or density == 0:
            break
        t += (stats.t.sf(t, df) - tail) / density
    return float(np.sign(p - 0.5) * t)


def interval(where, own, mean, error, df, p):
    same_log(f"{where} ratio", own["ratio"], mean)
    if error == 0:
        return
    for name, level, ends in (("95 %", 0.975, own), ("90 %", 0.95, own["within"])):
        half = quantile(level, df) * error
        same_log(f"{where} low of {name}", ends["low"], mean - half)
        same_log(f"{where} high of {name}", ends["high"], mean + half)
    same(f"{where} p", own["p"], p)


def pair(of, own):
    a, b = np.array(of["a"], float), np.array(of["b"], float)
    x = np.log(a) - np.log(b)
    same("delta", own["delta"], 2 * stats.mannwhitneyu(a, b).statistic / len(a) ** 2 - 1)
    if np.std(x) < 1e-12:
        return
    interval("pair", own, x.mean(), stats.sem(x), len(x) - 1, stats.ttest_1samp(x, 0).pvalue)


def welch(of, own):
    a, b = np.log(np.array(of["a"], float)), np.log(np.array(of["b"], float))
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if va + vb < 1e-24:
        return
    df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    interval("welch", own, a.mean() - b.mean(), np.sqrt(va + vb), df, stats.ttest_ind(a, b, equal_var=False).pvalue)


def adjust(of, own):
    for name, method in (("holm", "holm"), ("bh", "fdr_bh")):
        for mine, theirs in zip(own[name], multipletests(of["p"], method=method)[1]):
            same(name, mine, theirs)


def power(of, own):
    df, effect = of["n"] - 1, of["effect"]
    critical = quantile(1 - of["alpha"] / 2, df)
    theirs = of["alpha"] if effect == 0 else stats.nct.sf(critical, df, effect) + stats.nct.cdf(-critical, df, effect)
    same("power", own["power"], float(theirs), 1)


def kendall(of, own):
    theirs = stats.kendalltau(of["x"], of["y"]).statistic if hasattr(stats.kendalltau([1, 2], [1, 2]), "statistic") else stats.kendalltau(of["x"], of["y"])[0]
    if not np.isnan(theirs):
        same("kendall", own["tau"], float(theirs))


def functions(of, own):
    same("tails", own["tails"], 2 * stats.t.sf(abs(of["t"]), of["df"]))
    same("quantile", own["quantile"], quantile(of["p"], of["df"]))
    same("digamma", own["digamma"], float(special.digamma(of["x"])))
    same("trigamma", own["trigamma"], float(special.polygamma(1, of["x"])))
    same("cdf", own["cdf"], float(stats.norm.cdf(of["z"])))
    same("normal", own["normal"], float(stats.norm.ppf(of["p"])))


def failures(of, own):
    table = [[of["failedB"], of["triedB"] - of["failedB"]], [of["failedA"], of["triedA"] - of["failedA"]]]
    same("fisher", own["p"], float(stats.fisher_exact(table, alternative="greater")[1]))


def series(n, rho):
    """Expected lag-one coefficient, inflation of the variance of the mean, and degrees of freedom, from the covariance matrix itself."""
    covariance = rho ** np.abs(np.subtract.outer(np.arange(n), np.arange(n))) if rho > 0 else np.eye(n)
    centre = np.eye(n) - 1 / n
    q = centre @ covariance @ centre
    own = np.trace(q)
    return np.trace(q, offset=1) / own, covariance.sum() / n * (n - 1) / own, own**2 / np.trace(q @ q)


def family(of, own):
    """The whole rule once more: Smyth's moderated variance, the autocorrelation of blocks, t tests against the margin, Holm."""
    x = np.log(np.array(of["cells"], float))
    m, n = x.shape
    df, means, variances = n - 1, x.mean(1), x.var(1, ddof=1)
    judged = variances
    if m > 1:
        z = np.log(variances) - special.digamma(df / 2) + np.log(df / 2)
        excess = z.var(ddof=1) - special.polygamma(1, df / 2)
        if excess > 0:
            half = optimize.brentq(lambda u: special.polygamma(1, np.exp(u)) - excess, -18, 18, xtol=1e-14)
            d0 = 2 * np.exp(half)
            s0 = np.exp(z.mean() + special.digamma(d0 / 2) - np.log(d0 / 2))
            judged = np.maximum(variances, (d0 * s0 + df * variances) / (d0 + df))
        else:
            judged = np.maximum(variances, np.exp(z.mean()))
    rho = 0.0
    if of["drifts"]:
        off = x - x.mean(1, keepdims=True)
        upper = ((off[:, 1:] * off[:, :-1]).sum(1) / (off**2).sum(1)).mean() + np.sqrt(2 * m / n) / m
        bound = lambda rho: series(n, rho)[0] - upper
        rho = 0.0 if bound(0) >= 0 else 0.8 if bound(0.8) <= 0 else optimize.brentq(bound, 0, 0.8, xtol=1e-15)
    _, inflation, left = series(n, rho)
    left = min(left, df)
    error = np.sqrt(judged * inflation / n)
    away = np.abs(means) - np.log(1.02)
    differs = np.where(away > 0, 2 * stats.t.sf(np.abs(away) / error, left), 1)
    equivalent = np.where(away < 0, stats.t.sf(np.abs(away) / error, left), 1)
    for name, p in (("pDiffers", differs), ("pEquivalent", equivalent)):
        for mine, theirs in zip(own["tested"], multipletests(p, method="holm")[1]):
            same(f"family {name}", mine[name], float(theirs))
    for mine, variance in zip(own["tested"], judged):
        same("family noise", mine["noise"], float(np.sqrt(variance)))


KINDS = {f.__name__: f for f in (pair, welch, adjust, power, kendall, functions, failures, family)}
cases = 0
for line in sys.stdin:
    case = json.loads(line)
    cases += 1
    before = len(wrong)
    KINDS[case["kind"]](case["of"], case["own"])
    wrong[before:] = [f"case {case['at']}: {each}" for each in wrong[before:]]
print(f"{cases} cases, {sum(counts.values())} figures ({', '.join(f'{n} {name}' for name, n in sorted(counts.items()))})")
for each in wrong[:50]:
    print(each)
by = "SciPy and statsmodels" if "statsmodels" in sys.modules else "SciPy"
print(f"{len(wrong)} beyond {TOLERANCE:g} of {by}")
sys.exit(1 if wrong else 0)
