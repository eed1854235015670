"""Checkpoints between PyTorch and convzoo, in both directions.

usage: compare_checkpoint.py read CHECKPOINT [--data FOLDER] [--logits FILE.jsonl]
       compare_checkpoint.py write CHECKPOINT --arch ARCH [--act NAME] [--classes N] [--channels N] [--side N]
                             [--squeeze-excite] [IMAGE...]

read    loads a checkpoint (strict) and prints, as JSON, its loss and hits on FOLDER/test_batch.bin of CIFAR-10, as
        `evaluate CHECKPOINT --data FOLDER --json` should; and how far the lines of
        `predict CHECKPOINT IMAGE... --output-type logit --results-format jsonl` in FILE are from PyTorch's logits
write   writes the weights of formula.py as a checkpoint, and prints the logits that predict should print for the images

Images are PGM or PPM files (8 bits) of the checkpoint's own size, so that no resizing blurs the comparison."""
import argparse
import json
import os
import re

import numpy as np
import torch
import torch.nn.functional as F

import safetensors
import zoo
from formula import fill


class Model:
    """A network and what its checkpoint says about images."""

    def __init__(self, net, metadata):
        self.net, self.metadata = net.eval(), metadata
        self.classes = json.loads(metadata["classes"])
        self.channels, self.side = int(metadata["in_chans"]), int(metadata["img_size"])
        mean, std = (np.array(json.loads(metadata[key]), np.float32) for key in ("mean", "std"))
        self.mean, self.std = mean.reshape(-1, 1, 1), std.reshape(-1, 1, 1)

    def logits(self, images):
        """images: N C H W bytes. Returns float32 numpy."""
        x = (images.astype(np.float32) / 255 - self.mean) / self.std
        with torch.no_grad():
            return torch.cat([self.net(part) for part in torch.from_numpy(x).split(64)]).numpy()

    def score(self, images, labels):
        """(mean loss, hits)"""
        logits, labels = torch.from_numpy(self.logits(images)), torch.from_numpy(labels)
        return F.cross_entropy(logits, labels).item(), int((logits.argmax(1) == labels).sum())


def read_checkpoint(path):
    tensors, metadata = safetensors.load(path)
    net = zoo.build(metadata["arch"], metadata["act"], len(json.loads(metadata["classes"])), int(metadata["in_chans"]),
                    int(metadata["img_size"]), squeeze_excite=metadata.get("squeeze_excite") == "true",
                    stem=int(metadata.get("stem", 0)))
    net.load_state_dict({name: torch.from_numpy(t.copy()) for name, t in tensors.items()}, strict=True)
    return Model(net, metadata)


def write_checkpoint(path, arch, act=None, classes=10, channels=3, side=32, squeeze_excite=False):
    """The formula's weights. Returns the Model."""
    net = zoo.build(arch, act, classes, channels, side, squeeze_excite=squeeze_excite)
    fill(net)
    for name, counter in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            counter.fill_(1234567890123)
    metadata = {"format": "pt", "arch": arch, "act": act or zoo.ARCHITECTURES[arch][0],
                "classes": json.dumps([f"class {k}" for k in range(classes)]),
                "mean": json.dumps([0.4, 0.5, 0.45][:channels]), "std": json.dumps([0.2, 0.25, 0.3][:channels]),
                "img_size": str(side), "in_chans": str(channels)}
    if squeeze_excite:
        metadata["squeeze_excite"] = "true"
    safetensors.save(path, {name: t.numpy() for name, t in net.state_dict().items()}, metadata)
    return Model(net, metadata)


def read_image(path):
    """C H W bytes of a binary PGM or PPM file."""
    with open(path, "rb") as file:
        data = file.read()
    header = re.match(rb"(P[56])\s+(\d+)\s+(\d+)\s+255\s", data)
    if not header:
        raise ValueError(f"{path}: not a PGM or PPM file of 8 bits")
    channels, width, height = 1 if header[1] == b"P5" else 3, int(header[2]), int(header[3])
    return np.frombuffer(data, np.uint8, offset=header.end()).reshape(height, width, channels).transpose(2, 0, 1)


def write_image(path, pixels):
    channels, height, width = pixels.shape
    with open(path, "wb") as file:
        file.write(b"P%d\n%d %d\n255\n" % (5 if channels == 1 else 6, width, height))
        file.write(np.ascontiguousarray(pixels.transpose(1, 2, 0)).tobytes())


def read_cifar(path):
    records = np.fromfile(path, np.uint8).reshape(-1, 3073)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def logits_distance(model, lines):
    """The largest difference to predict's lines, relative to the largest logit."""
    rows = [json.loads(line) for line in lines if line.strip()]
    if any(row["classes"] != model.classes for row in rows):
        raise ValueError("the class names differ")
    ours = model.logits(np.stack([read_image(row["file"]) for row in rows]))
    return float(np.max(np.abs(np.array([row["logits"] for row in rows]) - ours)) / np.max(np.abs(ours)))


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    reading, writing = commands.add_parser("read"), commands.add_parser("write")
    for command in (reading, writing):
        command.add_argument("checkpoint")
    reading.add_argument("--data")
    reading.add_argument("--logits")
    writing.add_argument("--arch", required=True, choices=list(zoo.ARCHITECTURES))
    writing.add_argument("--act")
    for name, value in (("classes", 10), ("channels", 3), ("side", 32)):
        writing.add_argument("--" + name, type=int, default=value)
    writing.add_argument("--squeeze-excite", action="store_true")
    writing.add_argument("images", nargs="*", metavar="IMAGE")
    options = parser.parse_args()
    if options.command == "write":
        model = write_checkpoint(options.checkpoint, options.arch, options.act, options.classes, options.channels, options.side,
                                 options.squeeze_excite)
        for path in options.images:
            print(json.dumps({"file": path, "logits": model.logits(read_image(path)[None])[0].tolist(), "classes": model.classes}))
        return
    model = read_checkpoint(options.checkpoint)
    if options.data:
        images, labels = read_cifar(os.path.join(options.data, "test_batch.bin"))
        loss, hits = model.score(images, labels)
        print(json.dumps({"loss": loss, "hits": hits, "top1": hits / len(labels), "count": len(labels)}))
    if options.logits:
        with open(options.logits) as file:
            print(json.dumps({"logits": logits_distance(model, file)}))


if __name__ == "__main__":
    main()
