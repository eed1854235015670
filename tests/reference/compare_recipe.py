"""Does an architecture's recipe do the same in convzoo and in PyTorch? Both begin with the same weights and take the same batches; the losses of their steps
are compared.

usage: compare_recipe.py PROGRAMS [ARCH...] [--data FOLDER] [--steps N] [-b N] [--tolerance F] [--noise F] [-- OPTION OF TRAIN...]

PROGRAMS is the folder of convzoo's programs. Without names, every architecture. The recipe is what `train` writes into args.json; only what the two cannot
share is left out: augmentation and dropout, which draw random numbers. The batch is smaller than the recipe's, for the sake of time, and SGD's rate with
it, in proportion. convzoo computes in f32 without Winograd (--plan default,direct). Exit status 1 if a loss is further from PyTorch's than F (0.01).

Some recipes make any small difference grow, as Muon does with a few images: one ReLU that is 0 in the one and not in the other is enough. --noise F tells
this from a mistake: PyTorch trains once more, from first weights of which each is multiplied by 1 + F times a normal deviate, and a second line says how
far it gets from itself. 2e-6 is about what Muon's first step differs by in the two, in the widest layer of LeNet."""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

os.environ.setdefault("OMP_WAIT_POLICY", "passive")      # two programs take turns: a thread that waits must not spin

import numpy as np
import torch

import images
import recipe
import train_pytorch
import zoo

EPOCH_STEPS = 10          # few, since the loss is printed as the mean of an epoch's steps so far, with four digits
HELD_OUT = 50
LINE = re.compile(r"^epoch (\d+)/\d+  step (\d+)/\d+  loss ([0-9.]+)", re.M)


def write_part(path, pixels, labels):
    np.concatenate([labels[:, None].astype(np.uint8), pixels.reshape(len(pixels), -1)], axis=1).tofile(path)


def write_data(folder, data, batch):
    """So many images as an epoch's steps take; returns them."""
    (pixels, labels), (held, held_labels) = data
    count = EPOCH_STEPS * batch
    if count > len(labels):
        raise ValueError(f"{len(labels)} images are too few: {count} wanted: use a smaller -b")
    os.makedirs(folder)
    write_part(os.path.join(folder, "data_batch_1.bin"), pixels[:count], labels[:count])
    write_part(os.path.join(folder, "data_batch_5.bin"), held[:HELD_OUT], held_labels[:HELD_OUT])
    return pixels[:count], labels[:count]


def train(programs, *arguments):
    done = subprocess.run([os.path.join(programs, "train"), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"train exited with {done.returncode}: {done.stderr.strip()}")
    return done.stderr


def settings_of(programs, folder, arguments):
    """What args.json says after one step."""
    output = os.path.join(folder, "settings")
    train(programs, *arguments, "--output", output, "--max-steps", 1, "-q")
    with open(os.path.join(output, "args.json")) as file:
        return json.load(file)


def losses_of_convzoo(programs, folder, arguments):
    text = train(programs, *arguments, "--output", os.path.join(folder, "run"), "--progress", "lines", "--log-interval", 1)
    losses, last = [], 0.0
    for _, step, mean in LINE.findall(text):
        k = (int(step) - 1) % EPOCH_STEPS + 1
        total = k * float(mean)
        losses.append(total - (last if k > 1 else 0.0))
        last = total
    return losses


def losses_of_pytorch(run):
    return [loss for epoch in range(run.s["epochs"]) for loss in run.train_epoch(epoch)]


def add_noise(net, start, noise):
    """The weights of a checkpoint, each multiplied by 1 + noise times a normal deviate."""
    train_pytorch.load_start(net, start)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1 + noise * torch.randn_like(parameter))


def compare(programs, folder, arch, data, steps, batch, more=(), noise=0.0):
    """The losses of every step: convzoo's, PyTorch's; with noise also PyTorch's from first weights that have it."""
    images_folder, start = os.path.join(folder, "images"), os.path.join(folder, "start.safetensors")
    training = write_data(images_folder, data, batch)
    usual = ["--arch", arch, "--data", images_folder, "--val-split", "data_batch_5", "--no-aug", "--no-dropout", "--plan", "default,direct", "-b", batch,
             "--epochs", steps // EPOCH_STEPS, *more]
    own = settings_of(programs, folder, ["--arch", arch, "--data", images_folder, "--val-split", "data_batch_5", *more])
    given = settings_of(programs, os.path.join(folder, "again"), usual)
    smaller = batch / (own["batch-size"] or own["usual-batch-size"]) if given["opt"] in ("sgd", "nesterov") else 1
    given["lr"] = own["lr"] * smaller
    settings = recipe.settle(given)
    run = train_pytorch.Run(settings, training)
    run.write(start)
    ours = losses_of_convzoo(programs, folder, [*usual, "--lr", repr(given["lr"]), "--initial-checkpoint", start])
    theirs = losses_of_pytorch(run)
    if len(ours) != len(theirs):
        raise RuntimeError(f"convzoo printed {len(ours)} losses, PyTorch {len(theirs)}")
    if not noise:
        return ours, theirs
    again = train_pytorch.Run(settings, training)
    add_noise(again.net, start, noise)
    return ours, theirs, losses_of_pytorch(again)


def difference(losses, theirs, tolerance):
    apart = np.abs(np.subtract(losses, theirs))
    above = np.flatnonzero(~(apart <= tolerance))
    first = f"above {tolerance:g} from step {above[0] + 1}" if len(above) else f"never above {tolerance:g}"
    return f"largest difference {apart.max():.4f} in step {int(apart.argmax()) + 1}, mean {apart.mean():.5f}, {first}", not len(above)


def show(arch, tolerance, ours, theirs, again=None):
    """A line; one more for PyTorch from itself. Returns whether all of convzoo's losses are near enough."""
    text, near = difference(ours, theirs, tolerance)
    print(f"{arch:22s} {len(ours)} steps, loss {theirs[0]:.4f} .. {np.mean(theirs[-EPOCH_STEPS:]):.4f}, {text}", flush=True)
    if again:
        print(f"{'':22s} PyTorch from itself: {difference(again, theirs, tolerance)[0]}", flush=True)
    return near


def main():
    parser = argparse.ArgumentParser(usage=__doc__[__doc__.index("usage: ") + 7:])
    parser.add_argument("programs")
    parser.add_argument("arch", nargs="*")
    parser.add_argument("--data", default="data/cifar-10-batches-bin")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("-b", "--batch-size", type=int, default=32)
    parser.add_argument("--tolerance", type=float, default=1e-2)
    parser.add_argument("--noise", type=float, default=0)
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:at])
    names = options.arch or list(zoo.ARCHITECTURES)
    data = images.read_split(options.data, "data_batch_5")
    torch.set_num_threads(os.cpu_count())
    failures = 0
    for arch in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                losses = compare(options.programs, folder, arch, data, options.steps, options.batch_size, words[at + 1:], options.noise)
                failures += not show(arch, options.tolerance, *losses)
            except (RuntimeError, ValueError) as problem:
                failures += 1
                print(f"{arch:22s} {problem}", flush=True)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
