"""The same recipe in convzoo and in PyTorch, on the same bytes and cores: both accuracies against the time since the beginning, as a table and a picture.

usage: scripts/race_pytorch.sh ARCH [--data FOLDER] [--held-out PART] [--output DIR] [--build DIR] [--target PERCENT] [--draw] [-- OPTION OF TRAIN...]

  --data FOLDER     CIFAR-10's binary parts (data/cifar-10-batches-bin)
  --held-out PART   what is not trained on, but measured after each epoch (data_batch_5)
  --output DIR      where logs, table and picture go (race-ARCH)
  --build DIR       where convzoo's programs are (build)
  --target PERCENT  the accuracy to which the time is told, beside the last one (80)
  --draw            make table and picture anew from the logs that are in DIR
Options of `train` stand after --, such as -- --epochs 2 --limit 2000 --threads 2; PyTorch takes them too, from the run's args.json.

Both begin with the same weights. convzoo trains first, then PyTorch: neither is disturbed by the other. The time is that of training and validating, without start-up. Where the recipe has
something that PyTorch's side cannot do (tests/reference/recipe.py), that is said and nothing is raced."""
import argparse
import json
import math
import os
import shutil
import subprocess
import sys

import recipe

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = ("convzoo", "PyTorch")
COLOURS = ("#3b5b92", "#b3502e")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 880, 460, 64, 30, 76, 56

# ---- running ----------------------------------------------------------------------------------------------------


def log_of(options, run):
    return os.path.join(options.output, "convzoo", "log.jsonl") if run == "convzoo" else os.path.join(options.output, "pytorch.jsonl")


def call(*command):
    print("+", " ".join(map(str, command)), flush=True)
    code = subprocess.call(list(map(str, command)))
    if code:
        sys.exit(code)


def race(options, more):
    folder = os.path.join(options.output, "convzoo")
    if os.path.exists(folder):
        sys.exit(f"race_pytorch.sh: there is a run already: {folder}: remove it, choose another --output, or --draw what is there")
    os.makedirs(options.output, exist_ok=True)
    start = [os.path.join(options.build, "train"), options.arch, "--data", options.data, "--val-split", options.held_out, "--progress", "none", *more]
    begun = os.path.join(options.output, "start")
    shutil.rmtree(begun, ignore_errors=True)      # an earlier race's, of other options perhaps
    call(*start, "--output", begun, "--max-steps", 1, "--lr", 1e-12, "-q")      # one step that goes nowhere: the first weights, which PyTorch begins with too
    try:
        settings = recipe.load(os.path.join(begun, "args.json"))      # before hours are spent
    except recipe.Refused as refused:
        sys.exit(f"race_pytorch.sh: {refused}")
    call(*start, "--output", folder)
    call(sys.executable, os.path.join(HERE, "train_pytorch.py"), settings["arch"], "--data", options.data, "--held-out", options.held_out,
         "--settings", os.path.join(folder, "args.json"), "--start", os.path.join(begun, "last.safetensors"),
         "--log", log_of(options, "PyTorch"))


def read(path):
    """[(seconds since the beginning, top-1 in percent, images/s)] of each epoch's end."""
    try:
        with open(path) as file:
            rows = [json.loads(line) for line in file]
    except OSError as problem:
        sys.exit(f"race_pytorch.sh: no run to draw: {problem}")
    curve, seconds = [], 0.0
    for row in rows:
        seconds += row["seconds"] + row["val_seconds"]
        curve.append((seconds, 100 * row["val_top1"], row["images_per_second"]))
    return curve


# ---- the table --------------------------------------------------------------------------------------------------


def shown(seconds):
    if seconds is None:
        return "-"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.2f} h"


def reached(curve, percent):
    """When an epoch first ends with this accuracy."""
    return next((seconds for seconds, top1, _ in curve if top1 >= percent), None)


def ratio(ours, theirs):
    return "-" if ours is None or theirs is None else f"{theirs / ours:.2f}"


def table(curves, options):
    ours, theirs = (curves[run] for run in RUNS)
    last = min(ours[-1][1], theirs[-1][1])
    rows = [(f"top-1 of {options.target:g}%", reached(ours, options.target), reached(theirs, options.target)),
            (f"top-1 of {last:.2f}%, the lower of the last", reached(ours, last), reached(theirs, last)),
            (f"all {len(ours)} epochs", ours[-1][0], theirs[-1][0])]
    lines = ["| epoch | convzoo | after | PyTorch | after |", "|---|---|---|---|---|"]
    for epoch, (a, b) in enumerate(zip(ours, theirs), 1):
        lines.append(f"| {epoch} | {a[1]:.2f}% | {shown(a[0])} | {b[1]:.2f}% | {shown(b[0])} |")
    lines += ["", "| until | convzoo | PyTorch | ratio |", "|---|---|---|---|"]
    lines += [f"| {what} | {shown(a)} | {shown(b)} | {ratio(a, b)} |" for what, a, b in rows]
    speeds = [sorted(rate for _, _, rate in curves[run])[len(curves[run]) // 2] for run in RUNS]
    lines.append(f"| images/s in training | {speeds[0]:.0f} | {speeds[1]:.0f} | {speeds[0] / speeds[1]:.2f} |")
    return "\n".join(lines) + "\n"


# ---- the picture ------------------------------------------------------------------------------------------------


def step_of(most):
    """A round step that divides what is shown in four to ten."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (0.1, 0.2, 0.5, 1) if most / (step * power) <= 10)


def picture(curves, options):
    unit, name = next((size, name) for size, name in ((3600, "hours"), (60, "minutes"), (1, "seconds")) if max(c[-1][0] for c in curves.values()) >= 2 * size or size == 1)
    longest = max(c[-1][0] for c in curves.values()) / unit
    low = 10 * math.floor(min(top1 for c in curves.values() for _, top1, _ in c) / 10)
    high = min(100, max(10 * math.ceil(max(top1 for c in curves.values() for _, top1, _ in c) / 10), low + 10))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x_of(seconds):
        return LEFT + (right - LEFT) * seconds / unit / longest

    def y_of(top1):
        return bottom - (bottom - TOP) * (top1 - low) / (high - low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
           'font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="13" role="img" '
           f'aria-label="Curves: held-out accuracy of {options.arch} against time, in convzoo and in PyTorch">',
           f'  <rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="10" fill="#ffffff" stroke="#d0d7de"/>', '  <g fill="#1f2328">',
           f'  <text x="20" y="30" font-size="15">{options.arch}: accuracy on held-out images, by the time of training and validating</text>']
    x = 20
    for run, colour in zip(RUNS, COLOURS):
        text = f"{run}: {curves[run][-1][1]:.2f}% after {shown(curves[run][-1][0])}"
        out.append(f'  <rect x="{x}" y="44" width="12" height="12" rx="2" fill="{colour}"/><text x="{x + 18}" y="55">{text}</text>')
        x += 50 + 8 * len(text)
    for percent in range(low, high + 1, 10 if high - low > 20 else 5):
        y = y_of(percent)
        out.append(f'  <line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#e3e7ec"/>')
        out.append(f'  <text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" font-size="12">{percent}%</text>')
    step = step_of(longest)
    for tick in range(int(longest / step + 1e-9) + 1):
        at = x_of(tick * step * unit)
        out.append(f'  <line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{bottom}" stroke="#e3e7ec"/>')
        out.append(f'  <text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle" font-size="12">{tick * step:g}</text>')
    out.append(f'  <text x="{(LEFT + right) / 2}" y="{bottom + 40}" text-anchor="middle" font-size="12" fill="#57606a">{name}</text>')
    for run, colour in zip(RUNS, COLOURS):
        points = " ".join(f"{x_of(seconds):.1f},{y_of(top1):.1f}" for seconds, top1, _ in curves[run])
        out.append(f'  <polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'  <circle cx="{x_of(seconds):.1f}" cy="{y_of(top1):.1f}" r="3.5" fill="{colour}"/>' for seconds, top1, _ in curves[run]]
    return "\n".join(out + ["  </g>", "</svg>"]) + "\n"


def main():
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(usage=__doc__[__doc__.index("usage: ") + 7:], add_help=False)
    parser.add_argument("arch")
    for name, usual in {"data": "data/cifar-10-batches-bin", "held-out": "data_batch_5", "output": None, "build": "build"}.items():
        parser.add_argument("--" + name, default=usual)
    parser.add_argument("--target", type=float, default=80)
    parser.add_argument("--draw", action="store_true")
    options = parser.parse_args(words[:at])
    options.output = options.output or f"race-{options.arch}"
    if not options.draw:
        race(options, words[at + 1:])
    curves = {run: read(log_of(options, run)) for run in RUNS}
    text = table(curves, options)
    for name, content in {"race.md": text, "race.svg": picture(curves, options)}.items():
        with open(os.path.join(options.output, name), "w") as file:
            file.write(content)
    print(f"{text}\n{options.output}/race.md and {options.output}/race.svg have this as a table and a picture")


if __name__ == "__main__":
    main()
