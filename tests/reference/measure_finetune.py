#!/usr/bin/env python3
"""Fine-tuning against training from scratch, on few images of new classes, as a table.

usage: measure_finetune.py FOLDER [--build DIR] [--arch NAME] [--base-images N] [--base-epochs N] [--images N] [--epochs N]
                           [--seeds N] [--option=OPTION...]

FOLDER has a folder of images a class, ten of them. A network is trained on the first five classes; then the other five are learnt from
few images of each (--images), from that network's weights (all of them, and the head alone) and from random ones, with several
seeds. Validated on 500 images of each new class that no training saw. Python's standard library only."""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

VALIDATED = 500      # images a class


def make_folder(root, source, classes, first, count):
    """Copies of images first .. first+count-1 of each class."""
    for name in classes:
        (root / name).mkdir(parents=True)
        for image in sorted((source / name).iterdir())[first:first + count]:
            shutil.copyfile(image, root / name / image.name)


def train(options, data, output, *more):
    """The best validation accuracy and the seconds of a run."""
    begin = time.monotonic()
    command = [f"{options.build}/train", options.arch, "--data", data, "--output", output, "--quiet", *options.option, *more]
    finished = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if finished.returncode:
        sys.exit(f"measure_finetune.py: train failed with status {finished.returncode}: {finished.stderr.strip()}")
    lines = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return max(line["val_top1"] for line in lines), time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--build", default="build")
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--base-images", type=int, default=2000, help="a class")
    parser.add_argument("--base-epochs", type=int, default=8)
    parser.add_argument("--images", type=int, default=100, help="a new class")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--option", action="append", default=[], help="given to every run of train")
    options = parser.parse_args()

    classes = sorted(path.name for path in options.folder.iterdir() if path.is_dir())
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        for part, data, first, count in [("base", classes[:5], VALIDATED, options.base_images),
                                         ("new", classes[5:], VALIDATED, options.images)]:
            make_folder(work / part / "train", options.folder, data, first, count)
            make_folder(work / part / "val", options.folder, data, 0, VALIDATED)
        base, seconds = train(options, work / "base", work / "run-base", "--epochs", options.base_epochs)
        print(f"{options.arch} on {', '.join(classes[:5])}: {100 * base:.1f}% in {seconds:.0f} s\n")
        print(f"| {', '.join(classes[5:])}, {options.images} images each, {options.epochs} epochs | top1 [least-most] | seconds |")
        print("|---|---|---|")
        start = ["--initial-checkpoint", work / "run-base/best.safetensors"]
        for kind, more in [("from scratch", []), ("from the weights", start), ("from the weights, the head alone", [*start, "--freeze", "all-but-head"])]:
            results = [train(options, work / "new", work / f"run-{kind}-{seed}", "--epochs", options.epochs, "--seed", seed + 1, *more)
                       for seed in range(options.seeds)]
            top1, times = [100 * result[0] for result in results], [result[1] for result in results]
            print(f"| {kind} | {statistics.median(top1):.1f}% [{min(top1):.1f}-{max(top1):.1f}] | {statistics.median(times):.0f} |", flush=True)


if __name__ == "__main__":
    main()
