#!/usr/bin/env python3
"""The report in Debian's chromium; exits 77 where that is not installed.

usage: test_report.py PROGRAMS_FOLDER [--pictures FOLDER]      --pictures: also what the pages look like, to look at

Wide and narrow, light and dark, of one run and of two: nothing is asked of the network, nothing complained about, nothing wider than the screen; all
figures are there with the numbers that evaluate and the log have; a cell of the confusion matrix opens its images."""
import csv
import json
import math
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference"))
import chromium    # noqa: E402
from pages import Failure, check_alone, check_names, expect, open_page, program, texts    # noqa: E402

SIZES = [(1280, False), (390, True)]
MOST_BYTES = 5 * 1000 * 1000
TRAIN = "lenet --data shapes --limit 300 --img-size 16 --epochs 2 --threads 1 -b 32 -q --suspects 9 --act-stats 1".split()


# ---- cases ----

def check_curves(page, logs):
    """Each figure has the log's values: by the path's points, and under the cursor."""
    for figure, keys in (("loss", 2), ("top1", 2), ("rate", 1), ("speed", 1)):
        paths = page.run(f"[...document.querySelectorAll('#curve-{figure} path.curve')].map((path) => path.getAttribute('d').split(/[ML]/).length - 1)")
        expect(paths == [len(log) for log in logs for _ in range(keys)], f"{figure}: points {paths}")
    page.run("document.querySelector('#curve-loss svg').focus()")
    page.press("Home", 36)
    shown = page.run("[...document.querySelectorAll('#reading tbody tr')].map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))")
    for cells, log in zip(shown, logs):
        first = log[0]
        expect(cells[:4] == [f"{first['train_loss']:.4f}", f"{first['val_loss']:.4f}", f"{100 * first['train_top1']:.2f}%", f"{100 * first['val_top1']:.2f}%"],
               f"after Home the table shows {cells}, the log has {first}")


def check_confusion(page, evaluated):
    """Counts as evaluate has them; a cell opens its own images, and the keyboard does too."""
    matrix = evaluated["confusion_matrix"]
    shown = page.run("[...document.querySelectorAll('#matrix [data-cell]')].map((cell) => [cell.dataset.cell, Number(cell.querySelector('text')?.textContent)])")
    wanted = {f"{t}-{p}": n for t, row in enumerate(matrix) for p, n in enumerate(row) if n}
    expect({cell for cell, _ in shown} == set(wanted), f"cells: {shown}")
    expect(all(n is None or n == wanted[cell] for cell, n in shown), f"counts: {shown}")
    for right in (False, True):
        opened = page.run("document.querySelector('#matrix .open').dataset.cell")      # the page opens one itself
        cell = max((c for c in wanted if c != opened and (c.split("-")[0] == c.split("-")[1]) == right), key=lambda c: wanted[c])
        if right:
            page.run(f"document.querySelector('[data-cell=\"{cell}\"]').focus()")
            page.press("Enter", 13, text="\r")
        else:
            page.run(f"document.querySelector('[data-cell=\"{cell}\"]').dispatchEvent(new MouseEvent('click'))")
        page.settle()
        images = page.run("Promise.all([...document.querySelectorAll('#behind img')].map((i) => i.decode().then(() => [i.naturalWidth, i.naturalHeight, i.alt])))")
        names = page.run("Tables && JSON.parse(document.querySelector('#data').textContent).runs[0].model.classes")
        said = f"{names[int(cell.split('-')[0])]}, called {names[int(cell.split('-')[1])]}"
        expect(len(images) == min(8, wanted[cell]) and all(image == [16, 16, said] for image in images), f"behind {cell} ({wanted[cell]}): {images}")
        expect(page.run("document.querySelector('#behind h3').textContent").startswith(str(wanted[cell])), "the heading behind a cell")


def check_results(page, evaluated):
    rows = {row[0]: row[1] for row in page.run("[...document.querySelectorAll('#overview-table tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent))")}
    expect(rows["top-1"] == f"{100 * evaluated['top1']:.2f}%" and rows["loss"] == f"{evaluated['loss']:.4f}" and rows["macro F1"] == f"{100 * evaluated['f1']:.2f}%",
           f"{rows}, evaluate has {evaluated['top1']}, {evaluated['loss']}, {evaluated['f1']}")
    expect(f"{100 * evaluated['calibration_error']:.2f}%" in texts(page, "#calibration-about")[0], "the calibration error")
    classes = {row[0]: row[1:] for row in page.run("[...document.querySelectorAll('#class-table tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent))")}
    for row in evaluated["per_class"]:
        expect(classes[row["class"]][2:] == [f"{row[key]:.1f}%" for key in ("precision_percent", "recall_percent", "f1_percent")], f"{row}: {classes[row['class']]}")
    expect(page.run("document.querySelectorAll('#mistake-list img').length") == min(24, evaluated["count"] - round(evaluated["top1"] * evaluated["count"])), "the mistakes")
    expect(page.run("document.querySelectorAll('#certainty rect').length") >= 15 and page.run("document.querySelectorAll('#reliability path.curve').length") == 2, "calibration")


def check_inside(page, epochs):
    layers = page.run("[...document.querySelectorAll('#layer-table tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent.trim()))")
    shares = [float(row[5].rstrip("%")) for row in layers if row[5]]
    expect(layers[0][:2] == ["features.0", "conv2d"] and layers[-1][0] == "total" and abs(sum(shares) - 100) < 1, f"layers: {layers}")
    expect(page.run("document.querySelectorAll('#activity-table thead th').length") == epochs + 1, "epochs of the activity")
    expect(len(texts(page, "#activity-table tbody tr")) == 4, "layers of the activity")
    page.run("(() => { const q = document.querySelector('#quantity'); q.selectedIndex = 3; q.dispatchEvent(new Event('change')); })()")
    expect(all(float(cell) > 0 for cell in texts(page, "#activity-table td")), "gradients of the activity")
    expect(texts(page, "#wrong li") and texts(page, "#health-table tbody tr"), "health")
    settings = {row[0]: row[1] for row in page.run("[...document.querySelectorAll('#settings-all tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent))")}
    expect(settings["epochs"] == "2" and settings["limit"] == "300", "settings")
    expect("convzoo train --config one/args.json --output again" in texts(page, "#commands")[0], "how to reproduce")


def check_suspects(page, listed):
    """As suspects.csv has them, in its order, each with its picture and the label's probability, e to the minus loss."""
    shots = page.run("Promise.all([...document.querySelectorAll('#suspect-list .shot')].map((shot) => { const i = shot.querySelector('img'); return i.decode().then(() => [i.naturalWidth, i.alt, shot.textContent]); }))")
    expect(len(shots) == len(listed) == 9, f"suspects: {shots}")
    for (width, alt, text), row in zip(shots, listed):
        loss = float(row["loss"])
        wanted = (f"labelled {row['label']} {100 * math.exp(-loss):.2f}%", f"loss {loss:.3f}", f"called {row['predicted']} {100 * float(row['probability']):.1f}%")
        expect(width == 16 and alt == f"labelled {row['label']}, called {row['predicted']}" and all(part in text for part in wanted[:2]), f"{alt}: {text}, the list has {row}")
        expect(row["label"] == row["predicted"] or wanted[2] in text, f"{text}, the list has {row}")


def check_two(page, logs):
    expect(texts(page, "#overview-table thead th") == ["", "one", "two"], "a column a run")
    check_curves(page, logs)
    unlike = texts(page, "#settings-unlike tbody th")
    expect("act" in unlike and "seed" not in unlike, f"settings that differ: {unlike}")
    before = texts(page, "#matrix text")
    page.run("document.querySelector('#run-1').click()")
    page.settle()
    expect(texts(page, "#matrix text") != before, "the other run's matrix")
    expect(page.run("document.querySelector('#activity').hidden"), "the other run kept no activity")
    expect(page.run("document.querySelector('#suspects').hidden"), "the other run has no list of suspects")


def check_pages(programs, folder, pictures):
    program(programs, folder, "train", *TRAIN, "--output", "one")
    program(programs, folder, "train", *TRAIN[:-4], "--act", "gelu", "--output", "two")
    program(programs, folder, "report", "one", "--threads", "1", "-o", "one.html")
    program(programs, folder, "report", "one", "two", "--threads", "1", "-o", "both.html")
    evaluated = json.loads(program(programs, folder, "evaluate", "one", "--threads", "1", "-q", "--json", "--per-class", "-", "--confusion-matrix", "-"))
    with open(os.path.join(folder, "one", "suspects.csv"), newline="") as file:
        listed = list(csv.DictReader(file))
    logs = [[json.loads(line) for line in open(os.path.join(folder, run, "log.jsonl"))] for run in ("one", "two")]
    for name in ("one.html", "both.html"):
        expect(os.path.getsize(os.path.join(folder, name)) < MOST_BYTES, f"{name} has {os.path.getsize(os.path.join(folder, name))} bytes")
    long = "a_folder_whose_name_has_no_place_to_break_and_is_wider_than_a_small_screen"
    os.symlink("two", os.path.join(folder, long))
    program(programs, folder, "report", long, "--threads", "1", "-o", "long.html")
    with chromium.Chromium() as browser:
        for width, dark in SIZES:
            path = os.path.join(folder, "one.html")
            page = open_page(browser, path, width, dark, pictures)
            check_curves(page, logs[:1])
            check_confusion(page, evaluated)
            check_results(page, evaluated)
            check_suspects(page, listed)
            check_inside(page, 2)
            check_names(page)
            check_alone(page, path, width)
            path = os.path.join(folder, "both.html")
            page = open_page(browser, path, width, dark, pictures)
            check_two(page, logs)
            check_alone(page, path, width)
            path = os.path.join(folder, "long.html")
            check_alone(open_page(browser, path, width, dark, pictures), path, width)


def main():
    options = chromium.arguments()
    with tempfile.TemporaryDirectory() as folder:
        try:
            check_pages(os.path.abspath(options.programs), folder, options.pictures)
        except (Failure, chromium.Failure) as failure:
            print(failure)
            return 1
    print(f"one run and two, {len(SIZES)} screens: as they should be")
    return 0


sys.exit(main())
