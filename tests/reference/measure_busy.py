#!/usr/bin/env python3
"""The speed of convzoo beside other work on the same cores, as a table.

usage: measure_busy.py [--build DIR] [--mode train|infer] [-b N] [--seconds F] [--runs N] [ARCH...]

Each run measures `bench` under every condition in turn: alone, beside one and two busy loops, and beside a second `bench` of the
same network; then the same with one thread. A cell is the median of images/s, and its share of the same run's figure alone
(median [least-most]). The last columns are one thread's medians under the same conditions. Python's standard library only."""
import argparse
import re
import statistics
import subprocess
import sys

ARCHITECTURES = ["lenet", "baseline", "alexnet", "vgg16", "resnet18", "efficientnet_lite0", "convnext_tiny"]
CONDITIONS = ["alone", "one busy loop", "two busy loops", "a second convzoo"]


def bench_start(options, arch, threads):
    command = [f"{options.build}/bench", arch, "--mode", options.mode, "-b", str(options.batch),
               "--seconds", str(options.seconds), "--threads", str(threads)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def images_per_second(process):
    text = process.communicate()[0]
    found = re.search(r"([\d.]+) img/s", text)
    if process.returncode or not found:
        sys.exit(f"measure_busy.py: bench failed with status {process.returncode}: {text.strip()}")
    return float(found.group(1))


def measure(options, arch, threads, condition):
    """images/s of one bench; beside a second one, those of the slower."""
    loops = {"one busy loop": 1, "two busy loops": 2}.get(condition, 0)
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        running = [bench_start(options, arch, threads) for _ in range(2 if condition == "a second convzoo" else 1)]
        return min([images_per_second(process) for process in running])
    finally:
        for other in others:
            other.kill()
            other.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--mode", default="train", choices=["train", "infer"])
    parser.add_argument("-b", "--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("arch", nargs="*", default=ARCHITECTURES)
    options = parser.parse_args()

    print(f"| {options.mode} | " + " | ".join(CONDITIONS) + " | one thread: " + " | ".join(CONDITIONS) + " |")
    print("|" + "---|" * (1 + 2 * len(CONDITIONS)))
    for arch in options.arch:
        runs = [{(threads, condition): measure(options, arch, threads, condition)
                 for threads in (options.threads, 1) for condition in CONDITIONS} for _ in range(options.runs)]
        cells = []
        for condition in CONDITIONS:
            speeds = [run[options.threads, condition] for run in runs]
            shares = [run[options.threads, condition] / run[options.threads, "alone"] for run in runs]
            share = f" {statistics.median(shares):.2f} [{min(shares):.2f}-{max(shares):.2f}]" if condition != "alone" else ""
            cells.append(f"{statistics.median(speeds):.0f}{share}")
        for condition in CONDITIONS:
            cells.append(f"{statistics.median([run[1, condition] for run in runs]):.0f}")
        print(f"| {arch} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
