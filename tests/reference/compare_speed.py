"""bench and bench_pytorch.py in turn, and a table of their medians; see scripts/compare_pytorch.sh for the options.

A row: images/s of both (median, least and most of the runs), the ratio of run k to run k (median, least, most), and
the largest resident memory of either process. PyTorch's figure of a run is the best of its memory layouts."""
import argparse
import itertools
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ARCHITECTURES = ["lenet", "baseline", "alexnet", "vgg16", "resnet18", "efficientnet_lite0", "convnext_tiny"]


def run(command):
    """(images/s, peak MiB) of one run."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    found = re.search(r"([\d.]+) img/s", text)
    if process.returncode or not found:
        sys.exit(f"compare_speed.py: {' '.join(command)} failed with status {process.returncode}: {text.strip()}")
    return float(found.group(1)), usage.ru_maxrss / 1024


def spread(values, form):
    return f"{form(statistics.median(values))} [{form(min(values))}-{form(max(values))}]"


def numbers(text):
    return [int(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("archs", nargs="*", default=ARCHITECTURES)
    parser.add_argument("--mode", default="train", choices=["train", "infer"])
    parser.add_argument("--dtypes", type=lambda text: text.split(","), default=["f32"])
    parser.add_argument("--batches", type=numbers, default=[128])
    parser.add_argument("--sides", type=numbers, default=[32])
    parser.add_argument("--threads", type=numbers, default=[os.cpu_count()])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--build", default="build")
    options = parser.parse_args()
    print("| architecture | type | batch | side | threads | convzoo images/s | PyTorch images/s | ratio | MiB | PyTorch MiB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    rows = itertools.product(options.dtypes, options.threads, options.sides, options.batches, options.archs)
    for dtype, threads, side, batch, arch in rows:
        flags = ["--mode", options.mode, "--dtype", dtype, "-b", str(batch), "--side", str(side), "--threads", str(threads),
                 "--seconds", str(options.seconds), arch]
        ours, theirs = [], []
        for _ in range(options.runs):
            ours.append(run([os.path.join(options.build, "bench"), *flags]))
            theirs.append(run(["/usr/bin/python3", os.path.join(HERE, "bench_pytorch.py"), *flags]))
        ratios = [a[0] / b[0] for a, b in zip(ours, theirs)]
        print(f"| {arch} | {dtype} | {batch} | {side} | {threads} | {spread([a[0] for a in ours], '{:.0f}'.format)} |"
              f" {spread([b[0] for b in theirs], '{:.0f}'.format)} | {spread(ratios, '{:.2f}'.format)} |"
              f" {max(a[1] for a in ours):.0f} | {max(b[1] for b in theirs):.0f} |", flush=True)


if __name__ == "__main__":
    main()
