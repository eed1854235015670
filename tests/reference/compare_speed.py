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
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ARCHITECTURES = ["lenet", "baseline", "alexnet", "vgg16", "resnet18", "efficientnet_lite0", "convnext_tiny"]


def run(command):
    """(images/s, peak MiB) of one run; None if it fails."""
    with tempfile.TemporaryFile("w+") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        told = errors.read()
    found = re.search(r"([\d.]+) img/s", text)
    if process.returncode or not found:
        print(f"compare_speed.py: {' '.join(command)} failed with status {process.returncode}: {told.strip()[-200:]}", file=sys.stderr)
        return None
    return float(found.group(1)), usage.ru_maxrss / 1024


def spread(values, form):
    if not values:
        return "fails"
    return f"{form(statistics.median(values))} [{form(min(values))}-{form(max(values))}]"


def most_memory(runs):
    return f"{max(memory for _, memory in runs):.0f}" if runs else "-"


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
        commands = [os.path.join(options.build, "bench"), *flags], ["/usr/bin/python3", os.path.join(HERE, "bench_pytorch.py"), *flags]
        pairs = [[run(command) for command in commands] for _ in range(options.runs)]
        ours, theirs = ([pair[which] for pair in pairs if pair[which]] for which in (0, 1))
        ratios = [a[0] / b[0] for a, b in pairs if a and b]
        print(f"| {arch} | {dtype} | {batch} | {side} | {threads} | {spread([a[0] for a in ours], '{:.0f}'.format)} |"
              f" {spread([b[0] for b in theirs], '{:.0f}'.format)} | {spread(ratios, '{:.2f}'.format)} |"
              f" {most_memory(ours)} | {most_memory(theirs)} |", flush=True)


if __name__ == "__main__":
    main()
