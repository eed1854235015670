#!/usr/bin/python3
"""kill_ranks.py - ranks of one run are killed or stopped at random moments; the run goes on each time, and must end in the bytes of one that
nothing happened to.

usage: kill_ranks.py PROGRAMS MPI [--kills N] [--stops N] [--seed N]     PROGRAMS: the build folder; MPI: openmpi or mpich

Prints a line a fault with the seconds until all processes had ended; the exit code is 1 if a rank outlived the bound, if lines of the log were
lost, or if the bytes differ."""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

STARTERS = {"openmpi": ["mpirun.openmpi", "--oversubscribe"], "mpich": ["mpirun.mpich", "-disable-auto-cleanup"]}
TRAIN = "lenet --data shapes --limit 48 -b 24 --reproducible --mixup 0.4 --threads 1 -q --epochs 100000 --recovery-interval 3 --rank-timeout 6s".split()
STEPS_AN_EPOCH = 2
SILENT, MARGIN, PATIENCE = 4.0, 5.0, 60.0      # seconds: a stopped rank is given up after; all must have ended; then they are killed here

WRAPPER = """rank=${OMPI_COMM_WORLD_RANK:-$PMI_RANK}
echo $$ >pid$rank.new && mv pid$rank.new pid$rank
exec "$@"
"""


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


def pid_of(rank):
    while not os.path.exists(f"pid{rank}"):
        time.sleep(0.005)
    with open(f"pid{rank}") as file:
        return int(file.read())


def epochs_logged():
    if not os.path.exists("run/log.jsonl"):
        return 0
    with open("run/log.jsonl") as file:
        return file.read().count("\n")


def end(pids, since):
    """Seconds until all processes have ended."""
    while not all(gone(pid) for pid in pids) and time.time() - since < PATIENCE:
        time.sleep(0.005)
    seconds = time.time() - since
    for pid in pids:
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)
    return seconds


def happen(options, draw, stop):
    ranks = draw.choice([2, 4])
    victim = draw.randrange(ranks)
    for rank in range(ranks):
        if os.path.exists(f"pid{rank}"):
            os.remove(f"pid{rank}")
    before = epochs_logged()
    # Nobody keeps a stopped process from being cleaned up: a stopped rank cannot end by itself.
    starter = [word for word in STARTERS[options.mpi] if not (stop and word == "-disable-auto-cleanup")]
    where = ["--resume", "run"] if os.path.exists("run/last.safetensors") else ["--output", "run"]
    if where[0] == "--output":
        subprocess.run(["rm", "-rf", "run"], check=True)
    with open("stderr", "w") as err:
        job = subprocess.Popen(starter + ["-np", str(ranks), "sh", "rank.sh", os.path.join(options.programs, "train")] + TRAIN + where,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err)
    pids = [pid_of(rank) for rank in range(ranks)]
    # At the start, where the ranks may not watch each other yet, or in a step, a validation or a save of some later moment.
    early = draw.random() < 0.2
    while not early and epochs_logged() == before and not any(gone(pid) for pid in pids):
        time.sleep(0.005)
    time.sleep(draw.uniform(0.0, 2.0))
    begin = time.time()
    os.kill(pids[victim], signal.SIGSTOP if stop else signal.SIGKILL)
    seconds = end(pids, begin) - (SILENT if stop else 0.0)
    try:
        job.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        job.kill()
        seconds = PATIENCE
    with open("stderr") as file:
        lines = [line for line in file if line.startswith("train: ") and "warning" not in line]
    return ranks, victim, seconds, sum("was lost" in line for line in lines), before, early, lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=os.path.abspath)
    parser.add_argument("mpi", choices=STARTERS)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--stops", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    os.chdir(tempfile.mkdtemp(prefix="kill_ranks_"))
    with open("rank.sh", "w") as file:
        file.write(WRAPPER)
    draw = random.Random(options.seed)
    faults = [False] * options.kills + [True] * options.stops
    draw.shuffle(faults)
    times, late, unsaid = {False: [], True: []}, 0, 0
    for number, stop in enumerate(faults):
        ranks, victim, seconds, lost, before, early, lines = happen(options, draw, stop)
        times[stop].append(seconds)
        late += seconds > MARGIN
        unsaid += lost > 1 or (lost == 0 and not early)
        print(f"{number + 1} {'stop' if stop else 'kill'} rank {victim} of {ranks} {'at the start' if early else f'after epoch {epochs_logged()}'}: {seconds:.2f} s"
              f"{' beyond the silence' if stop else ''}, {lost} lines", flush=True)
        if lost != 1:
            print(f"    {lines}")
        if epochs_logged() < before - 1:      # a line may stand there before its epoch is saved
            sys.exit("kill_ranks.py: epochs were lost")
    epochs = epochs_logged() + 2
    for where in (["--resume", "run"], ["--output", "alone"]):
        subprocess.run([os.path.join(options.programs, "train")] + TRAIN + where + ["--max-steps", str(epochs * STEPS_AN_EPOCH)], check=True,
                       stderr=subprocess.DEVNULL)
    same = all(open(f"run/{name}", "rb").read() == open(f"alone/{name}", "rb").read() for name in ("last.safetensors", "best.safetensors"))
    for stop, name in ((False, "kills"), (True, "stops")):
        ordered = sorted(times[stop])
        if ordered:
            print(f"{options.mpi}: {len(ordered)} {name}: all ended within {ordered[-1]:.2f} s, half within {ordered[len(ordered) // 2]:.2f} s"
                  f"{' beyond the silence' if stop else ''}")
    print(f"{options.mpi}: late {late}; without exactly one line {unsaid}; {epochs_logged()} of {epochs} epochs logged; bytes {'the same' if same else 'DIFFER'}: {os.getcwd()}")
    sys.exit(0 if same and not late and epochs_logged() == epochs else 1)


main()
