#!/usr/bin/env python3
"""Makes docs/report/, docs/sweep.png and docs/sweep-page.png: the pages and pictures that docs/report.md and docs/sweeps.md show, from two short runs
and a sweep.

usage: draw_report.py PROGRAMS_FOLDER [--runs FOLDER]      --runs: where the runs lenet-relu and lenet-gelu and the sweep acts are, or are made"""
import argparse
import base64
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chromium    # noqa: E402

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "report")
TRAIN = "--data shapes --limit 2000 --epochs 6 --threads 1 --plots -q".split()
SWEEP = "--arch lenet --data shapes --limit 1000 --epochs 3 --set act=relu,silu,gelu --set lr=0.01,0.1 --seeds 3 --jobs 2 --output acts -q".split()
RUNS = {"lenet-relu": ["--act-stats", "1", "--suspects", "16"], "lenet-gelu": ["--act", "gelu"]}
WIDTH = 960
PARTS = [("lenet-relu.html", "#curves", "curves.png"), ("lenet-relu.html", "#confusion", "confusion.png"), ("lenet-relu.html", "#health", "health.png"),
         ("lenet-relu.html", "#suspects", "suspects.png"), ("compared.html", "#overview", "compared.png"), ("acts/sweep.html", "#overview", "../sweep-page.png")]


def program(options, name, *arguments):
    subprocess.run([os.path.join(options.programs, name), *arguments], cwd=options.runs, check=True)


def draw_part(browser, path, part, to):
    page = browser.page(width=WIDTH)
    page.open(path)
    x, y, w, h = page.run(f"(() => {{ const b = document.querySelector('{part}').getBoundingClientRect(); return [b.left, b.top + scrollY, b.width, b.height]; }})()")
    clip = {"x": max(0, x - 12), "y": y, "width": w + 24, "height": h + 12, "scale": 1}
    picture = page.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)["data"]
    with open(os.path.join(DOCS, to), "wb") as file:
        file.write(base64.b64decode(picture))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=os.path.abspath)
    parser.add_argument("--runs", type=os.path.abspath, default=tempfile.mkdtemp())
    options = parser.parse_args()
    os.makedirs(DOCS, exist_ok=True)
    for name, more in RUNS.items():
        if not os.path.exists(os.path.join(options.runs, name)):
            program(options, "train", "lenet", *TRAIN, *more, "--output", name)
    program(options, "report", "lenet-relu", "--threads", "1", "-o", "lenet-relu.html")
    program(options, "report", "lenet-relu", "lenet-gelu", "--threads", "1", "-o", "compared.html")
    program(options, "train", "lenet", "--data", "shapes", "--limit", "2000", "--threads", "1", "--find-lr", "--plots", "-q")
    program(options, "sweep", *SWEEP)
    shutil.copy(os.path.join(options.runs, "acts", "curves.png"), os.path.join(DOCS, "..", "sweep.png"))
    for name in ("find-lr.png", "lenet-relu/rates.png"):
        shutil.copy(os.path.join(options.runs, name), DOCS)
    with chromium.Chromium() as browser:
        for page, part, to in PARTS:
            draw_part(browser, os.path.join(options.runs, page), part, to)


main()
