#!/usr/bin/env python3
"""Random formulas with their values and slopes at 400 digits (mpmath): tests/golden/expressions.json.

    /usr/bin/python3 tests/reference/make_expression_golden.py

A formula is a tree here, written in the grammar of expression.h and computed by mpmath; results of each operation that a double cannot
hold become infinite or 0, as they do there. Slopes are central differences with a step of 1e-60 x. A point is [x, f, f'];
null: not to be compared (a kink, or an infinity that mpmath treats in its own way)."""

import json
import os
import random

from mpmath import mp, mpf

mp.dps = 400
LARGEST, SMALLEST = mpf(2) ** 1024, mpf(2) ** -1075
FORMULAS, POINTS = 200, 8
SPECIAL = [0.0, 1e-310, 1e30, -1e30, float("inf"), float("-inf"), float("nan"), -1e-5, 1e-40, 40.0, -50.0, 6.0]


class Skip(Exception):
    """mpmath and C need not agree here."""


def held(value):
    if isinstance(value, mp.mpc):
        if value.imag != 0:
            return mp.nan
        value = value.real
    if mp.isnan(value):
        return value
    if abs(value) >= LARGEST:
        return mp.inf if value > 0 else -mp.inf
    return mpf(0) if abs(value) < SMALLEST else value


def real_power(a, b):
    if mp.isinf(a) or mp.isinf(b) or mp.isnan(a) or mp.isnan(b) or a == 0:
        raise Skip
    if a < 0 and b != mp.floor(b):
        return mp.nan
    if abs(b * mp.log(abs(a))) > 1000:
        return (mp.inf if b * mp.log(abs(a)) > 0 else mpf(0)) * (-1 if a < 0 and b % 2 else 1)
    return a ** b


def far(x, above, below, value):
    """value(x), or its limit where mpmath would take long."""
    return above if x > 1e5 else below if x < -1e5 else value(x)


def exponential(x):
    return far(x, mp.inf, mpf(0), mp.exp)


def sigmoid(x):
    return 1 / (1 + exponential(-x)) if x > -1e5 else far(x, mpf(1), mpf(0), mp.exp)


def turning(function):
    def turn(x):
        return mp.nan if mp.isinf(x) else function(x)
    return turn


def log(x):
    return mp.nan if x < 0 else -mp.inf if x == 0 else mp.inf if mp.isinf(x) else mp.log(x)


FUNCTIONS = {
    "exp": exponential,
    "expm1": lambda x: far(x, mp.inf, mpf(-1), mp.expm1),
    "log": log,
    "log1p": lambda x: log(1 + x),
    "sqrt": lambda x: mp.nan if x < 0 else mp.sqrt(x),
    "abs": abs,
    "sign": mp.sign,
    "relu": lambda x: mpf(0) if x < 0 else x,
    "sigmoid": sigmoid,
    "sigmoid_slope": lambda x: sigmoid(x) * sigmoid(-x),
    "tanh": lambda x: far(x, mpf(1), mpf(-1), mp.tanh),
    "softplus": lambda x: x if x > 1e5 else far(x, x, mpf(0), lambda v: mp.log1p(mp.exp(v))),
    "erf": lambda x: far(x, mpf(1), mpf(-1), mp.erf),
    "phi": lambda x: far(x, mpf(1), mpf(0), lambda v: mp.erfc(-v / mp.sqrt(2)) / 2),
    "normal": lambda x: far(-abs(x), mp.inf, mpf(0), lambda v: mp.exp(-v * v / 2) / mp.sqrt(2 * mp.pi)),
    "sin": turning(mp.sin),
    "cos": turning(mp.cos),
    "atan": lambda x: mp.sign(x) * mp.pi / 2 if mp.isinf(x) else mp.atan(x),
    "sinh": lambda x: far(x, mp.inf, -mp.inf, mp.sinh),
    "cosh": lambda x: far(abs(x), mp.inf, mp.inf, mp.cosh),
}
PAIRS = {"min": min, "max": max}
INFIX = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "<": lambda a, b: mpf(a < b), ">": lambda a, b: mpf(a > b), "<=": lambda a, b: mpf(a <= b),
    "&&": lambda a, b: mpf(a != 0 and b != 0), "||": lambda a, b: mpf(a != 0 or b != 0),
}


def divide(a, b):
    if b != 0:
        return a / b
    if a == 0 or mp.isnan(a):
        return mp.nan
    raise Skip      # the sign of a zero


def tree(rng, levels):
    kind = rng.random()
    if levels == 0 or kind < 0.08:
        return rng.choice([("x",), ("x",), ("x",), ("number", rng.choice(["0.5", "2", "1", "0.25", "3", "1.702", "pi", "e", "0.044715"]))])
    one = lambda: tree(rng, levels - 1)
    if kind < 0.45:
        return ("call", rng.choice(sorted(FUNCTIONS)), one())
    if kind < 0.5:
        return ("pair", rng.choice(sorted(PAIRS)), one(), one())
    if kind < 0.58:
        return ("choose", ("infix", rng.choice(["<", ">", "<=", "&&", "||"]), one(), one()), one(), one())
    if kind < 0.64:
        return ("power", one(), ("number", rng.choice(["2", "3", "0.5", "-1", "1.5", "-2"])))
    if kind < 0.7:
        return ("negate", one())
    if kind < 0.8:
        return ("divide", one(), one())
    return ("infix", rng.choice(["+", "-", "*", "*"]), one(), one())


def text(node):
    kind = node[0]
    if kind == "x":
        return "x"
    if kind == "number":
        return node[1]
    if kind == "call":
        return "%s(%s)" % (node[1], text(node[2]))
    if kind == "pair":
        return "%s(%s, %s)" % (node[1], text(node[2]), text(node[3]))
    if kind == "choose":
        return "(%s ? %s : %s)" % (text(node[1]), text(node[2]), text(node[3]))
    if kind == "power":
        return "(%s)^%s" % (text(node[1]), text(node[2]))
    if kind == "negate":
        return "(-%s)" % text(node[1])
    if kind == "divide":
        return "(%s/%s)" % (text(node[1]), text(node[2]))
    return "(%s %s %s)" % (text(node[2]), node[1], text(node[3]))


def compute(node, x):
    kind = node[0]
    if kind == "x":
        return x
    if kind == "number":
        return {"pi": mpf(3.141592653589793), "e": mpf(2.718281828459045)}.get(node[1]) or mpf(float(node[1]))
    if kind == "choose":      # as C: the condition, then one branch
        return compute(node[2] if compute(node[1], x) != 0 else node[3], x)
    operands = [compute(child, x) for child in node[1:] if isinstance(child, tuple)]
    if kind == "call":
        return mp.nan if mp.isnan(operands[0]) else held(FUNCTIONS[node[1]](operands[0]))
    if kind == "pair":
        return mp.nan if any(map(mp.isnan, operands)) else PAIRS[node[1]](*operands)
    if kind == "negate":
        return -operands[0]
    function = real_power if kind == "power" else divide if kind == "divide" else INFIX[node[1]]
    return held(function(*operands))


def slope(node, x):
    if mp.isinf(x) or mp.isnan(x):
        return None
    step = abs(x) * mpf(10) ** -60 if x else mpf(10) ** -160
    left, here, right = compute(node, x - step), compute(node, x), compute(node, x + step)
    below, above = (here - left) / step, (right - here) / step
    jumps = abs(below) > mpf(10) ** 30 * (1 + abs(here))
    if jumps or not all(map(mp.isfinite, (left, here, right))) or abs(below - above) > mpf(10) ** -20 * (1 + abs(below)):
        return None
    return (below + above) / 2


def written(value):
    if value is None:
        return None
    if mp.isnan(value):
        return "nan"
    number = float(value)
    return number if abs(number) < float("inf") else "inf" if number > 0 else "-inf"


def point(node, x):
    try:
        exact = mp.nan if x != x else mpf(x)
        value = mp.nan if x != x else compute(node, exact)
        rise = slope(node, exact)
    except (Skip, ZeroDivisionError, OverflowError, ValueError):
        return None
    return [x if abs(x) < float("inf") else "nan" if x != x else "inf" if x > 0 else "-inf", written(value), written(rise)]


def main():
    rng = random.Random(12)
    rows = []
    while len(rows) < FORMULAS:
        node = tree(rng, rng.randint(2, 4))
        formula = text(node)
        if "x" not in formula.replace("exp", "").replace("max", "") or len(formula) > 200:
            continue
        points = [round(rng.uniform(-5, 5), 4) if i < POINTS / 2 else round(rng.uniform(-50, 50), 3) for i in range(POINTS - 2)]
        points += [SPECIAL[len(rows) % len(SPECIAL)], SPECIAL[(len(rows) + 5) % len(SPECIAL)]]
        found = [p for p in (point(node, x) for x in points) if p]
        if sum(isinstance(p[1], float) for p in found) >= POINTS / 2:
            rows.append({"formula": formula, "points": found})
    path = os.path.join(os.path.dirname(__file__), "..", "golden", "expressions.json")
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
