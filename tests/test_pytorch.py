#!/usr/bin/env python3
"""Round trips between the programs and PyTorch; exits 77 where PyTorch is not installed.

usage: test_pytorch.py PROGRAMS_FOLDER [--only TEXT]

from_convzoo   train writes best.safetensors; PyTorch loads it (strict), and predict's logits, evaluate's loss and
               hits are PyTorch's
from_pytorch   PyTorch writes a checkpoint; predict and evaluate read it and agree
same_losses    train and PyTorch take the first steps of a recipe from the same weights, on the same batches: the losses are the same
same_race      scripts/race_pytorch.sh trains both, from train's own first weights: the epochs' losses are the same; its table and picture are whole"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import xml.dom.minidom

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"skipped: {missing}: to compare with PyTorch: scripts/install_dependencies.sh --peers")
    sys.exit(77)

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "reference"))
import compare_checkpoint as compare    # noqa: E402
import compare_recipe    # noqa: E402
import safetensors    # noqa: E402

TOLERANCE = 5e-5           # of the largest logit; Winograd convolutions included
TRAIN_RECORDS, TEST_RECORDS, BATCH = 40, 150, 20
LOSS_TOLERANCE = 2e-3      # of a step's loss, which is known to 1e-3: it comes from a mean of ten steps that is printed with four digits


class Failure(Exception):
    pass


def run(programs, name, *arguments):
    """The program's standard output."""
    done = subprocess.run([os.path.join(programs, name), *map(str, arguments)], capture_output=True, text=True, timeout=500)
    if done.returncode:
        raise Failure(f"{name} exited with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def expect(ok, what):
    if not ok:
        raise Failure(what)


def draw(random, count, channels, side):
    """Images with something in them: waves whose direction and colour go with the label, and noise."""
    labels = random.integers(0, 10, count)
    y, x = np.mgrid[:side, :side] / side
    angle = labels[:, None, None] * 0.6
    waves = np.sin(14 * (np.cos(angle) * x + np.sin(angle) * y))[:, None]
    tint = np.cos(labels[:, None] + np.arange(channels))[:, :, None, None]
    pixels = 128 + 60 * waves + 30 * tint + random.normal(0, 20, (count, channels, side, side))
    return pixels.clip(0, 255).astype(np.uint8), labels.astype(np.uint8)


def write_cifar(folder, random):
    """CIFAR-10's files, with few records."""
    os.mkdir(folder)
    for name in [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]:
        images, labels = draw(random, TEST_RECORDS if name == "test_batch" else TRAIN_RECORDS, 3, 32)
        np.concatenate([labels[:, None], images.reshape(len(images), -1)], axis=1).tofile(os.path.join(folder, name + ".bin"))


def write_images(folder, random, channels, side):
    paths = []
    for k, pixels in enumerate(draw(random, 3, channels, side)[0]):
        paths.append(os.path.join(folder, f"{channels}x{side}-{k}.{'pgm' if channels == 1 else 'ppm'}"))
        compare.write_image(paths[-1], pixels)
    return paths


def check_logits(programs, model, checkpoint, images):
    lines = run(programs, "predict", checkpoint, *images, "--output-type", "logit", "--results-format", "jsonl").splitlines()
    expect([json.loads(line)["file"] for line in lines] == images, f"predict printed {len(lines)} lines for {len(images)} images, or others")
    distance = compare.logits_distance(model, lines)
    expect(distance <= TOLERANCE, f"predict's logits are {distance:.1e} from PyTorch's, expected at most {TOLERANCE:.0e}")


def check_score(programs, model, checkpoint, data):
    result = json.loads(run(programs, "evaluate", checkpoint, "--data", data, "--json"))
    loss, hits = model.score(*compare.read_cifar(os.path.join(data, "test_batch.bin")))
    expect(result["count"] == TEST_RECORDS, f"evaluate counted {result['count']} images, expected {TEST_RECORDS}")
    expect(abs(result["loss"] - loss) <= TOLERANCE * max(1, loss), f"evaluate's loss is {result['loss']}, PyTorch's {loss}")
    expect(round(result["top1"] * TEST_RECORDS) == hits, f"evaluate's top1 is {result['top1']}, PyTorch's {hits / TEST_RECORDS}")
    expect(result["arch"] == model.metadata["arch"] and result["act"] == model.metadata["act"], "evaluate names another network")


def from_convzoo(programs, folder, data, random, arch, act, *options):
    output = os.path.join(folder, "run")
    act_options = ["--act", act] if act else []
    run(programs, "train", "--arch", arch, *act_options, "--data", data, "--epochs", 1, "-b", BATCH, "--lr", 0.01, "--output", output, *options)
    checkpoint = os.path.join(output, "best.safetensors")
    model = compare.read_checkpoint(checkpoint)
    steps = 5 * TRAIN_RECORDS // BATCH
    for name, tensor in model.net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            expect(1 <= tensor.item() <= steps, f"{name} is {tensor.item()} after {steps} steps")
    check_logits(programs, model, checkpoint, write_images(folder, random, 3, 32))
    check_score(programs, model, checkpoint, data)


def from_pytorch(programs, folder, data, random, arch, act, geometry):
    checkpoint = os.path.join(folder, "pytorch.safetensors")
    model = compare.write_checkpoint(checkpoint, arch, act, **geometry)
    images = write_images(folder, random, model.channels, model.side)
    logits = model.logits(np.stack([compare.read_image(path) for path in images]))
    expect(np.ptp(logits, axis=0).max() > 0.02 * abs(logits).max(), "PyTorch's logits do not depend on the image")
    check_logits(programs, model, checkpoint, images)
    if model.side == 32 and len(model.classes) == 10:
        metadata = {**model.metadata, "classes": json.dumps("airplane automobile bird cat deer dog frog horse ship truck".split())}
        tensors, _ = safetensors.load(checkpoint)
        # PyTorch loads counters of shape [1] as well as [].
        tensors = {name: t.reshape(1) if t.ndim == 0 else t for name, t in tensors.items()}
        safetensors.save(checkpoint, tensors, metadata)
        check_score(programs, compare.read_checkpoint(checkpoint), checkpoint, data)


def same_losses(programs, folder, data, random, arch, act, *options):
    drawn = draw(random, 160, 3, 32), draw(random, compare_recipe.HELD_OUT, 3, 32)
    ours, theirs = compare_recipe.compare(programs, folder, arch, drawn, 20, 8, options)
    apart = np.abs(np.subtract(ours, theirs)).max()
    expect(apart <= LOSS_TOLERANCE, f"a step's loss is {apart:.4f} from PyTorch's, expected at most {LOSS_TOLERANCE}")
    expect(abs(theirs[-1] - theirs[0]) > 10 * LOSS_TOLERANCE, f"the loss hardly moves: {theirs[0]:.4f}, then {theirs[-1]:.4f}")


def same_race(programs, folder, data, random, arch, act, *options):
    output, epochs = os.path.join(folder, "race"), 3
    os.makedirs(os.path.join(output, "start"))      # an earlier race's, of other options
    with open(os.path.join(output, "start", "args.json"), "w") as file:
        json.dump({"drop": 0.5}, file)
    script = os.path.join(HERE, "..", "scripts", "race_pytorch.sh")
    done = subprocess.run([script, arch, "--data", data, "--build", programs, "--output", output, "--target", "5", "--", "--epochs", str(epochs), "-b", str(BATCH),
                           "--no-aug", *options], capture_output=True, text=True, timeout=500)
    expect(done.returncode == 0, f"race_pytorch.sh exited with {done.returncode}: {done.stderr.strip()}")
    logs = []
    for name in ("convzoo/log.jsonl", "pytorch.jsonl"):
        with open(os.path.join(output, name)) as file:
            logs.append([json.loads(line) for line in file])
    expect(len(logs[0]) == len(logs[1]) == epochs, f"{len(logs[0])} and {len(logs[1])} epochs, expected {epochs}")
    for ours, theirs in zip(*logs):
        expect(abs(ours["train_loss"] - theirs["train_loss"]) < LOSS_TOLERANCE, f"epoch {ours['epoch']}: loss {ours['train_loss']}, PyTorch's {theirs['train_loss']}")
    with open(os.path.join(output, "race.md")) as file:
        lines = file.read().splitlines()
    expect(sum(line.startswith(f"| {k} |") for line in lines for k in range(1, epochs + 1)) == epochs, "race.md has no row for each epoch")
    expect(any(line.startswith("| top-1 of 5% | ") and " - " not in line for line in lines), "race.md does not say when 5% were reached")
    points = [line.getAttribute("points").split() for line in xml.dom.minidom.parse(os.path.join(output, "race.svg")).getElementsByTagName("polyline")]
    expect([len(line) for line in points] == [epochs, epochs], "race.svg has no point for each epoch")


MUON = os.path.join(HERE, "..", "docs", "airbench-muon.conf")

CASES = [
    (same_race, "lenet5", None),
    (same_race, "airbench", None, "--lr", "0.05"),
    (same_losses, "lenet", None, "--lr", "0.05"),
    (same_losses, "baseline", None, "--lr", "0.01"),                     # at the recipe's 0.02 Muon makes 2.2e-3 of rounding in 20 steps of 8 images on some processors
    (same_losses, "baseline", None, "--opt", "sgd", "--lr", "0.02", "--param-groups", "bias lr*4 decay*1; head decay/2", "--sched", "onecycle", "--identity-init", "--clip-grad", "0.3"),
    (same_losses, "convnext_atto", None, "--opt", "adamw", "--layer-scale", "0.5", "--warmup-epochs", "0.5", "--sched", "poly", "--sched-power", "2"),
    (same_losses, "resnet18", None, "--opt", "adam", "--lr", "1e-3", "--zero-init-last", "--lookahead", "--lookahead-k", "3", "--sched", "step"),
    (same_losses, "airbench", None),
    (same_losses, "airbench", None, "--config", MUON, "--lr", "0.002"),      # rates of biases are in proportion to the batch
    (from_convzoo, "lenet", None),
    (from_convzoo, "baseline", "leaky_relu:0.2"),
    (from_convzoo, "alexnet", "prelu"),
    (from_convzoo, "resnet18", "silu"),
    (from_convzoo, "efficientnet_lite0", None),
    (from_convzoo, "efficientnet_lite0", "relu6", "--squeeze-excite"),
    (from_convzoo, "convnext_atto", None),
    (from_convzoo, "convnext_atto", "prelu"),
    (from_convzoo, "airbench", None, "--whiten", 0.01),
    (from_pytorch, "lenet", "tanh", {"channels": 1, "side": 28}),
    (from_pytorch, "baseline", "mish", {}),
    (from_pytorch, "alexnet", None, {}),
    (from_pytorch, "vgg16", None, {}),
    (from_pytorch, "resnet18", None, {}),
    (from_pytorch, "resnet18", "gelu", {"side": 224, "classes": 1000}),
    (from_pytorch, "efficientnet_lite0", None, {"squeeze_excite": True}),
    (from_pytorch, "efficientnet_lite0", "hardswish", {"side": 96, "classes": 5}),
    (from_pytorch, "tf_efficientnet_lite0", None, {"side": 45}),
    (from_pytorch, "convnext_pico", None, {}),
    (from_pytorch, "airbench", None, {}),
    (from_pytorch, "airbench", "prelu", {"side": 29, "channels": 1, "classes": 3}),
    (from_pytorch, "convnext_atto", "gelu_tanh", {"side": 64, "channels": 1}),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    failures = tried = 0
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "cifar")
        write_cifar(data, np.random.default_rng(1))
        for check, arch, act, *rest in CASES:
            name = " ".join([check.__name__, arch, act or "", *map(str, rest)])
            if options.only not in name:
                continue
            tried += 1
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                try:
                    check(options.programs, folder, data, np.random.default_rng(2), arch, act, *rest)
                    print(f"ok    {name}", flush=True)
                except (Failure, OSError, ValueError, KeyError, RuntimeError, subprocess.SubprocessError) as problem:
                    failures += 1
                    print(f"FAIL  {name}: {problem}", flush=True)
    if not tried:
        print(f"FAIL  no case has '{options.only}' in its name")
    return failures > 0 or not tried


if __name__ == "__main__":
    sys.exit(main())
