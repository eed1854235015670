"""Throughput of the zoo in PyTorch, in the form that `bench` prints.

usage: bench_pytorch.py [--mode train|infer] [--dtype f32|bf16] [-b 128] [--side 32] [--act NAME] [--threads N]
                        [--seconds 8] [--compile] [--all] [ARCH...]

    arch mode dtype layout eager|compile bN X img/s Y ms

A training step clears the gradients, runs forward, cross-entropy and backward and takes an SGD step with momentum and
weight decay, on one fixed batch: no data is loaded. X follows from the median step. Every combination of memory layout
(nchw, nhwc) and, with --compile, of eager and compiled execution is timed, and the fastest printed; --all prints each."""
import argparse
import statistics
import time

import torch
import torch.nn.functional as F

import zoo

WARMUP_STEPS = 3


def make_step(arch, options, layout, compiled):
    """A function that does one step."""
    torch.manual_seed(0)
    memory_format = torch.channels_last if layout == "nhwc" else torch.contiguous_format
    training = options.mode == "train"
    net = zoo.build(arch, options.act, side=options.side).train(training).to(memory_format=memory_format)
    image = torch.randn(options.batch, 3, options.side, options.side).contiguous(memory_format=memory_format)
    labels = torch.arange(options.batch) % 10
    run = torch.compile(net) if compiled else net
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=options.dtype == "bf16")

    def train():
        optimizer.zero_grad(set_to_none=True)
        with autocast:
            loss = F.cross_entropy(run(image), labels)
        loss.backward()
        optimizer.step()

    def infer():
        with torch.inference_mode(), autocast:
            run(image)

    return train if training else infer


def median_time(step, seconds):
    for _ in range(WARMUP_STEPS):
        step()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("archs", nargs="*", metavar="ARCH", default=list(zoo.ARCHITECTURES))
    parser.add_argument("--mode", choices=["train", "infer"], default="train")
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("-b", "--batch", type=int, default=128)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--act")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for arch in options.archs:
        rows = []
        for layout in ("nchw", "nhwc"):
            for compiled in (False, True) if options.compile else (False,):
                seconds = median_time(make_step(arch, options, layout, compiled), options.seconds)
                rows.append((seconds, layout, "compile" if compiled else "eager"))
        for seconds, layout, how in rows if options.all else [min(rows)]:
            print(f"{arch:20s} {options.mode} {options.dtype} {layout} {how} b{options.batch} "
                  f"{options.batch / seconds:9.1f} img/s {seconds * 1e3:9.2f} ms", flush=True)


if __name__ == "__main__":
    main()
