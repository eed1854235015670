"""Ranks of one thread, beside the same cores used otherwise, in turn: by PyTorch's DistributedDataParallel over gloo, or by one process
with as many threads.

usage: bench_ranks.py [--beside ddp|threads] [--build build] [--mpirun mpirun] [--ranks 2] [-b 32] [--side 32] [--seconds 6] [--pairs 3]
                      [--layout nchw|nhwc] [ARCH...]

    resnet18 pair 1: ranks 31.0, ddp 12.0 images/s: 2.58 times; load 0.4

Each rank has one core and -b images a step, one process with threads as many as all ranks: a fixed batch, no data is loaded. A step is
forward, cross-entropy, backward with the gradients averaged over the ranks, and SGD with momentum and weight decay; images/s are those of
all ranks, of the median step. Those of ranks are the line `overlap` of `bench --ranks-model`. The last line of a network is the median of
the pairs' ratios, and the least and the largest of them."""
import argparse
import os
import statistics
import subprocess
import sys
import time

WARMUP_STEPS = 3


def rank_main(arch, options):
    """One process; the first one prints images/s."""
    import torch
    import torch.distributed as dist
    import torch.nn.functional as F

    import zoo
    rank = int(os.environ["RANK"])
    os.sched_setaffinity(0, {rank % os.cpu_count()})
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    torch.manual_seed(0)
    memory_format = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
    net = torch.nn.parallel.DistributedDataParallel(zoo.build(arch, side=options.side).train().to(memory_format=memory_format))
    image = torch.randn(options.batch, 3, options.side, options.side).contiguous(memory_format=memory_format)
    labels = torch.arange(options.batch) % 10
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    times, end = [], float("inf")
    while True:
        going = torch.tensor([float(len(times) < WARMUP_STEPS + 3 or time.perf_counter() < end)])
        dist.broadcast(going, 0)
        if not going.item():
            break
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(net(image), labels).backward()
        optimizer.step()
        times.append(time.perf_counter() - begin)
        if len(times) == WARMUP_STEPS:
            end = time.perf_counter() + options.seconds
    if rank == 0:
        print(options.batch * options.ranks / statistics.median(times[WARMUP_STEPS:]))
    dist.destroy_process_group()


def ddp(arch, options):
    command = [sys.executable, __file__, "--rank-of", arch, "-b", str(options.batch), "--side", str(options.side), "--ranks", str(options.ranks),
               "--seconds", str(options.seconds), "--layout", options.layout]
    common = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(20000 + os.getpid() % 20000), "WORLD_SIZE": str(options.ranks),
              "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    processes = [subprocess.Popen(command, env={**common, "RANK": str(rank)}, stdout=subprocess.PIPE, text=True) for rank in range(options.ranks)]
    texts = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit("bench_ranks: a process of PyTorch failed: see above")
    return float(texts[0])


def bench(options, start, *more):
    command = [*start, os.path.join(options.build, "bench"), "--side", str(options.side), *map(str, more)]
    env = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout


def ranks(arch, options):
    text = bench(options, [options.mpirun, "-np", str(options.ranks)], arch, "-b", options.batch, "--threads", 1, "--ranks-model",
                 "--seconds", options.seconds * 3)      # of each of three kinds of steps
    line = next(line for line in text.splitlines() if line.startswith("  overlap"))
    return options.batch * options.ranks / (1e-3 * float(line.split()[1]))


def threads(arch, options):
    text = bench(options, [], arch, "-b", options.batch * options.ranks, "--threads", options.ranks, "--seconds", options.seconds)
    return float(text.split(" img/s")[0].split()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("archs", nargs="*", metavar="ARCH", default=["resnet18", "lenet", "convnext_atto"])
    parser.add_argument("--beside", choices=["ddp", "threads"], default="ddp")
    parser.add_argument("--build", default="build")
    parser.add_argument("--mpirun", default="mpirun")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("-b", "--batch", type=int, default=32)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--layout", choices=["nchw", "nhwc"], default="nchw")
    parser.add_argument("--rank-of", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rank_of:
        return rank_main(options.rank_of, options)
    beside = {"ddp": ddp, "threads": threads}[options.beside]
    for arch in options.archs:
        ratios = []
        for pair in range(1, options.pairs + 1):
            ours, other = ranks(arch, options), beside(arch, options)
            ratios.append(ours / other)
            print(f"{arch} pair {pair}: ranks {ours:.1f}, {options.beside} {other:.1f} images/s: {ratios[-1]:.2f} times; load {os.getloadavg()[0]:.1f}", flush=True)
        print(f"{arch} -b {options.batch}: {statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


if __name__ == "__main__":
    main()
