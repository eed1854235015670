"""Writes ../golden/metrics.json: scikit-learn's, Guo et al.'s and Wilson's definitions written out over the logits of tests/test_metrics.c.

usage: make_metrics_golden.py        (a second; needs mpmath)

z[i][k] = ((37 i + 11 k i + 7 k) mod 23 - 11) / 4 for 90 images and 8 classes, but -20 for class 7, which nothing is and nothing is called;
an image's label is what it is called where i mod 5 > 1, else (3 i) mod 6. The rest is found in other ways than the program's: classes by sets
of images, intervals as roots of Wilson's equation, the temperature as a root of the loss's derivative, coins one by one in fractions."""
import json
import os
from fractions import Fraction

import mpmath
from mpmath import mpf

mpmath.mp.dps = 30
IMAGES, CLASSES, BINS = 90, 8, 15
LOGITS = [[mpf((37 * i + 11 * k * i + 7 * k) % 23 - 11) / 4 if k < 7 else mpf(-20) for k in range(CLASSES)] for i in range(IMAGES)]
CALLED = [row.index(max(row)) for row in LOGITS]
LABELS = [CALLED[i] if i % 5 > 1 else 3 * i % 6 for i in range(IMAGES)]
INTERVALS = [(0, 10), (1, 10), (5, 10), (10, 10), (8570, 10000), (9, 11)]
COINS = [(0, 0), (1, 0), (3, 3), (2, 9), (15, 5), (40, 61), (431, 380)]
ASKED = [("coverage", 0.5), ("coverage", 0.9), ("precision", 0.66), ("precision", 0.7)]


def probabilities(row, temperature):
    powers = [mpmath.e ** (z / temperature) for z in row]
    return [p / sum(powers) for p in powers]


def classes():
    """precision_recall_fscore_support(average=None, zero_division=0), and average="macro" over the labels that occur."""
    each = []
    for k in range(CLASSES):
        are, called = {i for i in range(IMAGES) if LABELS[i] == k}, {i for i in range(IMAGES) if CALLED[i] == k}
        precision = mpf(len(are & called)) / len(called) if called else mpf(0)
        recall = mpf(len(are & called)) / len(are) if are else mpf(0)
        each.append([len(are), len(called), precision, recall, 2 / (1 / precision + 1 / recall) if precision and recall else mpf(0)])
    occur = sorted(set(LABELS) | set(CALLED))
    return each, [sum(each[k][v] for k in occur) / len(occur) for v in (2, 3, 4)]


def calibration(temperature):
    sure = [max(probabilities(row, temperature)) for row in LOGITS]
    error, worst = mpf(0), mpf(0)
    for b in range(BINS):
        inside = [i for i in range(IMAGES) if mpf(b) / BINS < sure[i] <= mpf(b + 1) / BINS]
        if inside:
            gap = abs(sum(CALLED[i] == LABELS[i] for i in inside) - sum(sure[i] for i in inside)) / len(inside)
            error, worst = error + gap * len(inside) / IMAGES, max(worst, gap)
    loss = -sum(mpmath.log(probabilities(row, temperature)[label]) for row, label in zip(LOGITS, LABELS)) / IMAGES
    return [error, worst, loss]


def temperature():
    return mpmath.findroot(lambda t: mpmath.diff(lambda at: calibration(at)[2], t), mpf(1))


def interval(hits, count):
    z = mpmath.sqrt(2) * mpmath.erfinv(mpf("0.95"))
    share = mpf(hits) / count
    roots = mpmath.polyroots([1 + z ** 2 / count, -2 * share - z ** 2 / count, share ** 2])
    return sorted(mpmath.re(r) for r in roots)


def coins(first, second):
    count, few = first + second, min(first, second)
    tail, ways = Fraction(0), 1
    for k in range(few + 1):
        tail += Fraction(ways, 2 ** count)
        ways = ways * (count - k) // (k + 1)
    chi2 = mpf(max(abs(first - second) - 1, 0)) ** 2 / count if count else mpf(0)
    exact = min(Fraction(1), 2 * tail)
    return [mpf(exact.numerator) / exact.denominator, chi2, mpmath.gammainc(mpf(1) / 2, chi2 / 2, mpmath.inf, regularized=True)]


def rejection(by, wanted):
    """Every threshold tried; of those that do, the one with the least (precision) or the most (coverage) unknown images."""
    sure = [max(probabilities(row, 1)) for row in LOGITS]
    fits = []
    for below in set(sure):
        kept = [i for i in range(IMAGES) if sure[i] >= below - mpf(10) ** -20]
        precision, coverage = mpf(sum(CALLED[i] == LABELS[i] for i in kept)) / len(kept), mpf(len(kept)) / IMAGES
        if (coverage if by == "coverage" else precision) >= wanted:
            fits.append([below, coverage, precision])
    return (max if by == "coverage" else min)(fits)


def main():
    each, macro = classes()
    best = temperature()
    golden = {
        "classes": each, "macro": macro,
        "calibration": [[t] + calibration(t) for t in (mpf(1), mpf("2.5"), mpf("0.5"))], "temperature": best,
        "intervals": [[h, n] + interval(h, n) for h, n in INTERVALS], "mcnemar": [[b, c] + coins(b, c) for b, c in COINS],
        "rejection": [[by, wanted] + rejection(by, wanted) for by, wanted in ASKED],
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "metrics.json")
    with open(path, "w") as file:
        json.dump(golden, file, indent=1, default=float)
        file.write("\n")


main()
