"""Writes ../golden/losses.json: what PyTorch makes of the logits and targets of tests/test_loss.c, in double precision.

usage: make_loss_golden.py        (a second; needs torch)

z[i][k] = ((37 i + 11 k i + 7 k) mod 23 - 11) / 4 for 5 rows and 7 classes; label (3 i) mod 7, other (5 i + 2) mod 7,
share (2 i + 1) / 11, weight of class k (k + 2) / 5. Each case: loss, the mean over rows, and its gradient. With weights the sum is divided
by the number of rows, where CrossEntropyLoss would divide by the labels' weights. bce is timm's BinaryCrossEntropy with
sum_classes: targets as its mixup_target makes them."""
import json
import os

import torch
import torch.nn.functional as F

ROWS, CLASSES = 5, 7
LOGITS = torch.tensor([[((37 * i + 11 * k * i + 7 * k) % 23 - 11) / 4 for k in range(CLASSES)] for i in range(ROWS)], dtype=torch.float64)
LABELS = torch.tensor([3 * i % CLASSES for i in range(ROWS)])
OTHERS = torch.tensor([(5 * i + 2) % CLASSES for i in range(ROWS)])
SHARES = torch.tensor([(2 * i + 1) / 11 for i in range(ROWS)], dtype=torch.float64).unsqueeze(1)
WEIGHTS = torch.tensor([(k + 2) / 5 for k in range(CLASSES)], dtype=torch.float64)


def one_hot(labels, smoothing):
    off = smoothing / CLASSES
    return torch.full((ROWS, CLASSES), off, dtype=torch.float64).scatter_(1, labels.unsqueeze(1), 1 - smoothing + off)


def measure(kind, smoothing, mixed, weighted, scale):
    logits = LOGITS.clone().requires_grad_(True)
    target = one_hot(LABELS, smoothing)
    if mixed:
        target = SHARES * target + (1 - SHARES) * one_hot(OTHERS, smoothing)
    weight = WEIGHTS if weighted else None
    if kind == "bce":
        loss = F.binary_cross_entropy_with_logits(scale * logits, target, weight, reduction="none").sum(-1).mean()
    elif mixed:
        loss = F.cross_entropy(scale * logits, target, weight, reduction="sum") / ROWS
    else:
        loss = F.cross_entropy(scale * logits, LABELS, weight, reduction="sum", label_smoothing=smoothing) / ROWS
    loss.backward()
    return {"kind": kind, "smoothing": smoothing, "mixed": mixed, "weighted": weighted, "scale": scale, "loss": loss.item(),
            "gradient": logits.grad.flatten().tolist()}


def main():
    cases = [measure(kind, smoothing, mixed, weighted, scale) for kind in ("ce", "bce") for smoothing in (0, 0.125)
             for mixed in (False, True) for weighted in (False, True) for scale in (1, 0.25)]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "losses.json")
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()
