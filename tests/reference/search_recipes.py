"""Trains networks of the zoo with PyTorch under many recipes, to choose one: docs/recipes.md has what came out.

usage: search_recipes.py JOBS.json RESULTS.jsonl --data FOLDER [--device cuda|cpu] [--seconds N]

FOLDER has CIFAR-10's binary parts: data_batch_1 to 4 to train on, data_batch_5 held out. JOBS.json is a list of objects, each one run:

  tag, arch, epochs, opt (sgd | adamw | muon), lr
  batch 128 (muon: 256), decay 5e-4 (others: 0.05), decay_all false, smoothing 0.1, dropout true, clip 0, cutout 0, seed 0
  start 0.2, peak 0.2 (muon: 0.1), end 0: the triangle, in shares of lr and of the run
  sizes {"24": 9}: smaller images up to that epoch; ema 0: share of the average that a step leaves
  identity false: 3x3 convolutions start as identities; layer_scale, stem (1: 3x3 stride 1), strides [2, 2, 2]: of ConvNeXt

One line a run: the accuracy after every fifth epoch, and after the last also with the mean of an image and its mirror. On a GPU the images
stay there, a step is one captured graph, and products are in bf16."""
import argparse
import json
import math
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import augment
import images
import zoo
from optimizers import Muon

NORMAL = np.float32((0.4914, 0.4822, 0.4465)), np.float32((0.2470, 0.2435, 0.2616))      # mean and deviation
SIDE, PAD, ROUNDS = 32, 4, 5


def on_device(part, limit, device):
    pixels, labels = (values[:limit] for values in part)
    return torch.from_numpy(images.normalise(pixels, *NORMAL)).to(device), torch.from_numpy(labels).to(device)


def start(net, convnext):
    """He's normal weights by fan-out; ConvNeXt's as its authors have them. Linear layers of the others are PyTorch's."""
    for module in net.modules():
        if convnext and isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(module.weight, std=0.02)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
            nn.init.zeros_(module.bias)


def build(job):
    net = zoo.build(job["arch"], dropout=job.get("dropout", True), stem=job.get("stem", 0))
    start(net, job["arch"].startswith("convnext"))
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and job.get("identity") and module.kernel_size == (3, 3) and module.groups == 1:
            nn.init.dirac_(module.weight[:module.in_channels])
    if job["arch"].startswith("convnext"):
        reshape_convnext(net, job)
    return net


def reshape_convnext(net, job):
    for name, parameter in net.named_parameters():
        if name.endswith("layer_scale"):
            nn.init.constant_(parameter, job.get("layer_scale", 1e-6))
    for stage, stride in enumerate(job.get("strides", (2, 2, 2)), 1):
        old = net.features[2 * stage][1]
        if stride == 1:
            net.features[2 * stage][1] = nn.Conv2d(old.in_channels, old.out_channels, 1)


def is_matrix(name, parameter, head):
    return parameter.ndim > 1 and not name.endswith("layer_scale") and name != head and not (parameter.ndim == 4 and parameter.shape[1] == 1)


class Optimizer:
    """The rules of convzoo's sgd (Nesterov's), adamw and muon; what a captured step reads anew lies in tensors."""

    def __init__(self, net, job):
        named = list(net.named_parameters())
        head = [name for name, p in named if p.ndim > 1][-1]
        self.kind, self.decay = job["opt"], job.get("decay", 5e-4 if job["opt"] == "sgd" else 0.05)
        self.momentum = 0.95 if self.kind == "muon" else 0.9
        self.lr, self.first, self.second = (torch.zeros((), device=named[0][1].device) for _ in range(3))
        self.rows, self.step_number = [], 0
        for name, p in named:
            plain = p.ndim == 1 or name.endswith("layer_scale")
            decay = 0.0 if plain and not job.get("decay_all") else self.decay
            muon = self.kind == "muon" and is_matrix(name, p, head)
            self.rows.append((p, muon, decay, torch.zeros_like(p), torch.zeros_like(p)))

    def state(self):
        return [tensor for row in self.rows for tensor in row[3:]]

    def prepare(self, lr):
        self.step_number += 1
        self.lr.fill_(lr)
        self.first.fill_(1 / (1 - 0.9 ** self.step_number))
        self.second.fill_((1 - 0.999 ** self.step_number) ** -0.5)

    @torch.no_grad()
    def step(self):
        for p, muon, decay, moment, square in self.rows:
            if muon:
                moment.mul_(self.momentum).add_(p.grad)
                update = Muon.orthogonal(p.grad.add(moment, alpha=self.momentum).reshape(len(p), -1), ROUNDS)
                p.mul_(1 - self.lr * decay)
                p.sub_(update.reshape(p.shape) * self.lr * max(1, len(update) / update.shape[1]) ** 0.5)
            elif self.kind == "sgd":
                gradient = p.grad + decay * p
                moment.mul_(self.momentum).add_(gradient)
                p.sub_(self.lr * (gradient + self.momentum * moment))
            else:
                lr = self.lr * (0.1 if self.kind == "muon" else 1)
                moment.lerp_(p.grad, 0.1)
                square.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                p.mul_(1 - lr * decay)
                p.sub_(lr * self.first * moment / (square.sqrt() * self.second + 1e-8))


class Step:
    """Forward, loss, backward and update of one batch; one graph on a GPU."""

    def __init__(self, net, optimizer, job, batch, side):
        self.net, self.optimizer, self.job = net, optimizer, job
        self.device = optimizer.lr.device
        self.images = torch.zeros(batch, 3, side, side, device=self.device).contiguous(memory_format=torch.channels_last)
        self.labels = torch.zeros(batch, dtype=torch.long, device=self.device)
        self.loss, self.graph = torch.zeros((), device=self.device), None
        if self.device.type == "cuda":
            self.capture()

    def capture(self):
        kept = list(self.net.state_dict().values()) + self.optimizer.state()
        before = [tensor.clone() for tensor in kept]
        self.optimizer.prepare(0.0)
        self.optimizer.step_number -= 1
        self.net.train()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.compute()
        torch.cuda.current_stream().wait_stream(stream)
        self.forget_gradients()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.compute()
        with torch.no_grad():
            for tensor, old in zip(kept, before):
                tensor.copy_(old)
        self.loss.zero_()

    def forget_gradients(self):
        for p in self.net.parameters():
            p.grad = None

    def compute(self):
        if not (self.device.type == "cuda" and torch.cuda.is_current_stream_capturing()):
            self.forget_gradients()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda", cache_enabled=False):
            logits = self.net(self.images)
        loss = F.cross_entropy(logits.float(), self.labels, label_smoothing=self.job.get("smoothing", 0.1))
        loss.backward()
        if self.job.get("clip"):
            gradients = [p.grad for p in self.net.parameters()]
            norm = torch.stack([g.norm() for g in gradients]).norm()
            for g in gradients:
                g.mul_((self.job["clip"] / (norm + 1e-6)).clamp(max=1.0))
        self.optimizer.step()
        self.loss.add_(loss.detach())

    def __call__(self, images, labels, lr):
        self.images.copy_(images)
        self.labels.copy_(labels)
        self.optimizer.prepare(lr)
        self.graph.replay() if self.graph else self.compute()


def changed(batch, job, mirrored):
    """Shifted, with reflected edges, mirrored where said, a square blacked out."""
    n, side = len(batch), batch.shape[-1]
    out = augment.mirror(augment.crop(batch, max(1, PAD * side // SIDE), "reflect"), mirrored)
    if job.get("cutout"):
        place = torch.arange(side, device=batch.device)
        y, x = torch.randint(0, side, (2, n, 1), device=batch.device)
        near = [(place - at).abs() * 2 < job["cutout"] for at in (y, x)]
        out = out.masked_fill((near[0][:, :, None] & near[1][:, None, :])[:, None], 0.0)
    return out


@torch.no_grad()
def accuracy(net, pictures, labels, mirrors=False):
    net.eval()
    hits = 0
    with torch.autocast(pictures.device.type, torch.bfloat16, enabled=pictures.device.type == "cuda"):
        for x, y in zip(pictures.split(500), labels.split(500)):
            logits = net(x) + net(x.flip(3)) if mirrors else net(x)
            hits += (logits.argmax(1) == y).sum().item()
    return round(100 * hits / len(labels), 2)


def floats_of(net):
    return [tensor for tensor in net.state_dict().values() if tensor.is_floating_point()]


def average_into(average, net, step, decay):
    share = 1 - min(decay ** 5, (1 + step) / (10 + step))
    for mean, now in zip(average, floats_of(net)):
        mean.lerp_(now, share)


def run(job, train, held_out, device, deadline):
    torch.manual_seed(job.get("seed", 0))
    muon = job["opt"] == "muon"
    net = build(job).to(device).to(memory_format=torch.channels_last)
    optimizer, batch = Optimizer(net, job), job.get("batch", 256 if muon else 128)
    pictures, labels = train
    steps_an_epoch, step = len(pictures) // batch, 0
    steps = steps_an_epoch * job["epochs"]
    mirrored = torch.rand(len(pictures), device=device) < 0.5
    sizes = {int(side): until for side, until in job.get("sizes", {}).items()}
    average = [tensor.clone() for tensor in floats_of(net)] if job.get("ema") else None
    curve, stepper = [], None
    for epoch in range(job["epochs"]):
        side = next((s for s in sorted(sizes) if epoch < sizes[s]), SIDE)
        if stepper is None or stepper.images.shape[-1] != side:
            stepper = Step(net, optimizer, job, batch, side)
            sized = pictures if side == SIDE else F.interpolate(pictures, size=(side, side), mode="bilinear", antialias=True)
        net.train()
        stepper.loss.zero_()
        for chosen in torch.randperm(len(pictures), device=device)[:steps_an_epoch * batch].split(batch):
            rate = float(np.interp(step / steps, [0, job.get("peak", 0.1 if muon else 0.2), 1], [job.get("start", 0.2), 1, job.get("end", 0)]))
            stepper(changed(sized[chosen], job, mirrored[chosen] ^ (epoch % 2 == 1)), labels[chosen], job["lr"] * rate)
            step += 1
            if average and step % 5 == 0:
                average_into(average, net, step, job["ema"])
        last = epoch == job["epochs"] - 1 or time.time() > deadline
        if epoch % 5 == 4 or last:
            curve.append({"epoch": epoch + 1, "loss": round(stepper.loss.item() / steps_an_epoch, 4), "top1": accuracy(net, *held_out)})
        if last or not math.isfinite(curve[-1]["loss"] if curve else 0):
            break
    curve[-1]["mirrors"] = accuracy(net, *held_out, mirrors=True)
    if average:
        for tensor, mean in zip(floats_of(net), average):
            tensor.copy_(mean)
        curve[-1]["average"] = accuracy(net, *held_out)
    return {"job": job, "curve": curve}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("jobs")
    parser.add_argument("results")
    parser.add_argument("--data", required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--seconds", type=float, default=math.inf)
    options = parser.parse_args()
    deadline = time.time() + options.seconds
    train, held_out = (on_device(part, options.limit, options.device) for part in images.read_split(options.data, "data_batch_5"))
    with open(options.jobs) as file:
        jobs = json.load(file)
    for job in jobs:
        if time.time() > deadline:
            break
        result = run(job, train, held_out, options.device, deadline)
        with open(options.results, "a") as file:
            file.write(json.dumps(result) + "\n")
        print(job["tag"], result["curve"][-1], flush=True)


if __name__ == "__main__":
    main()
