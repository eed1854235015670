#!/usr/bin/env python3
"""A sweep's page in Debian's chromium; exits 77 where that is not installed.

usage: test_sweep.py PROGRAMS_FOLDER [--pictures FOLDER]      --pictures: also what the page looks like, to look at

Wide and narrow, light and dark: nothing is asked of the network, nothing complained about, nothing wider than the screen; the tables hold what
choices.csv, runs.csv and comparisons.csv hold, the curves the means of the runs' logs; ticks and the keyboard change what is drawn."""
import csv
import json
import os
import shlex
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference"))
import chromium    # noqa: E402
from pages import Failure, check_alone, check_names, expect, open_page, program, texts    # noqa: E402

SIZES = [(1280, False), (390, True)]
SWEEP = "--arch lenet --set act=relu,tanh --set lr=0.01,0.05,1e6 --warmup-epochs 0 --seeds 2 --epochs 3 --data shapes --limit 64 -b 16 --img-size 16 --threads 1 -q --output acts"
SEEDS = (42, 43)


def rows_of(page, table):
    return page.run(f"[...document.querySelectorAll('#{table} tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent.trim()))")


def read_table(folder, name):
    with open(os.path.join(folder, "acts", name), newline="") as file:
        return list(csv.DictReader(file))


def log_of(folder, run):
    with open(os.path.join(folder, run, "log.jsonl")) as file:
        return [json.loads(line) for line in file]


def same(cell, text, digits=2):
    """The number of a table, to so many digits, or to four where it is written with an exponent; both are empty where there is none."""
    room = 0.501 * 10 ** -digits if "e" not in cell else 6e-4 * float(text)
    return (cell == "") == (text == "") and (not cell or abs(float(cell) - float(text)) <= room)


# ---- cases ----

def check_choices(page, choices):
    """All of choices.csv, the best mean first; those without a run last."""
    ordered = sorted(choices, key=lambda row: -float(row["mean"] or -1))
    shown = rows_of(page, "choice-table")
    expect(len(shown) == len(ordered) == 6, f"choices: {shown}")
    for cells, row in zip(shown, ordered):
        expect(cells[:4] == [row["arch"], row["act"], row["lr"], row["runs"]], f"{cells}, choices.csv has {row}")
        expect(all(same(cells[k], row[key]) for k, key in ((4, "mean"), (5, "deviation"), (7, "best"), (8, "behind"))), f"{cells}, choices.csv has {row}")
        expect(abs(float(cells[9] or -1) - float(row["p"] or -1)) < 0.01, f"{cells}, choices.csv has {row}")
        expect(abs(float(cells[11].split()[0] if cells[11] else -1) - float(row["MiB"] or -1)) < 0.1, f"{cells}, choices.csv has {row}")
    dots = page.run("[...document.querySelectorAll('#choice-table .strip')].map((strip) => strip.querySelectorAll('circle').length)")
    expect(dots == [int(row["runs"]) for row in ordered], f"a dot a run: {dots}")
    expect(texts(page, "#about")[0] == "6 choices of arch, act, lr, 2 seeds each: 8 of 12 runs are done, 4 failed.", texts(page, "#about")[0])
    expect(same(texts(page, "#leader")[0].split(": ")[1].split("%")[0], ordered[0]["mean"]), texts(page, "#leader")[0])


def check_curves(page, folder, choices):
    """The mean over seeds of each choice's logs; of a seed alone that run's; a choice that is not ticked is not drawn."""
    ordered = sorted((row for row in choices if row["mean"]), key=lambda row: -float(row["mean"]))
    names = [f"lenet-act={row['act']}-lr={row['lr']}" for row in ordered]
    logs = [[log_of(folder, f"acts/{name}-seed={seed}") for seed in SEEDS] for name in names]
    page.run("document.querySelector('#curve-loss svg').focus()")
    page.press("Home", 36)
    shown = rows_of(page, "reading")
    expect([cells[0] for cells in shown] == names, f"after Home: {shown}")
    for (_, loss, top1), pair in zip(shown, logs):
        expect(same(loss, sum(log[0]["val_loss"] for log in pair) / 2, 4) and same(top1.rstrip("%"), 50 * sum(log[0]["val_top1"] for log in pair)), f"after Home: {shown}")
    points = page.run("[...document.querySelectorAll('#curve-top1 path.curve')].map((path) => path.getAttribute('d').split(/[ML]/).length - 1)")
    expect(points == [3] * 4, f"points: {points}")
    page.run("(() => { const what = document.querySelector('#what'); what.value = '43'; what.dispatchEvent(new Event('change')); })()")
    shown = rows_of(page, "reading")
    expect(all(same(cells[1], pair[1][0]["val_loss"], 4) for cells, pair in zip(shown, logs)), f"of seed 43: {shown}")
    page.run("document.querySelector('#choice-0').click()")
    expect([cells[0] for cells in rows_of(page, "reading")] == names[1:], "a choice that is not ticked")
    for k in range(1, 4):
        page.run(f"document.querySelector('#choice-{k}').click()")
    expect(rows_of(page, "reading") == [] and page.run("document.querySelectorAll('#curve-loss path.curve').length") == 0, "nothing is ticked")
    page.run("document.querySelector('#choice-3').click()")
    expect([cells[0] for cells in rows_of(page, "reading")] == names[3:], "ticked again")


def check_runs(page, folder):
    shown, listed = rows_of(page, "run-table"), read_table(folder, "runs.csv")
    expect(len(shown) == len(listed) == 12, f"runs: {shown}")
    for cells, row in zip(shown, listed):
        expect(cells[:3] == [os.path.basename(row["folder"]), row["state"], row["epochs_done"]], f"{cells}, runs.csv has {row}")
        expect(same(cells[3], row["best"]) and same(cells[4], row["last"]) and same(cells[5], row["last_loss"], 4), f"{cells}, runs.csv has {row}")
    leads = page.run("[...document.querySelectorAll('#run-table a')].map((a) => decodeURIComponent(new URL(a.href).pathname))")
    expect(len(leads) == 12 + sum(int(row["epochs_done"]) > 0 for row in listed) and all(os.path.exists(path) for path in leads), f"links: {leads}")


def check_comparisons(page, folder):
    shown = rows_of(page, "comparison-table")
    listed = {(row["first"], row["second"]): row for row in read_table(folder, "comparisons.csv") if row["difference"]}
    expect(len(shown) == len(listed) == 6, f"comparisons: {shown}")
    for first, second, difference, p in shown:
        row = listed[first, second]
        expect(abs(float(difference.replace("\u2212", "-")) - float(row["difference"])) < 0.006, f"{first}, {second}: {difference}, comparisons.csv has {row}")
        expect(abs(float(p or -1) - float(row["p_holm"] or -1)) < 0.01, f"{first}, {second}: p {p}, comparisons.csv has {row}")


def check_command(page, programs, folder):
    """The command on the page asks for the same runs."""
    command = shlex.split(texts(page, "#commands pre")[0].splitlines()[1])
    expect(command[:2] == ["convzoo", "sweep"], f"{command}")
    runs = program(programs, folder, "sweep", *command[2:], "--threads", "1", "--dry-run").splitlines()
    expect(runs[:-1] == [row["folder"].replace("acts/", "again/") for row in read_table(folder, "runs.csv")], f"{runs}")


def check_pages(programs, folder, pictures):
    program(programs, folder, "sweep", *SWEEP.split(), expected=6)
    path, choices = os.path.join(folder, "acts", "sweep.html"), read_table(folder, "choices.csv")
    with chromium.Chromium() as browser:
        for width, dark in SIZES:
            page = open_page(browser, path, width, dark, pictures)
            check_choices(page, choices)
            check_runs(page, folder)
            check_comparisons(page, folder)
            check_names(page)
            check_curves(page, folder, choices)
            check_command(page, programs, folder)
            check_alone(page, path, width)


def main():
    options = chromium.arguments()
    with tempfile.TemporaryDirectory() as folder:
        try:
            check_pages(os.path.abspath(options.programs), folder, options.pictures)
        except (Failure, chromium.Failure) as failure:
            print(failure)
            return 1
    print(f"a sweep's page, {len(SIZES)} screens: as it should be")
    return 0


sys.exit(main())
