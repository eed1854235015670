"""Writes ../golden/attention.json: Grad-CAM and saliency as PyTorch's hooks see them, in double precision.

usage: make_attention_golden.py        (ten seconds; needs torch)

Weights and images are those of formula.py (images u("attention", i)), two images a network of 10 classes; image k is asked about class 3 k + 1.
Each case: arch, side, gradcam: batch x h x w, its enlargement to the image's size at a few places, saliency: its sums along rows and columns, and
values at a few places. Sizes at which no value lies so near a kink that f32 sees its other side: resnet18 at 64 has one, and PyTorch's own f32 is then off
by 1e-3 there."""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

import zoo
from formula import fill, u

BATCH, CLASSES = 2, 10
CASES = [("resnet18", 32), ("vgg16", 64), ("convnext_atto", 64)]


def last_features(net, arch):
    """The module whose output is pooled: the tutorial's choice for each family."""
    if arch == "resnet18":
        return net.layer4[-1]
    if arch.startswith("vgg"):
        return [m for m in net.features if not isinstance(m, torch.nn.MaxPool2d)][-1]
    return net.features[-1][-1]


def places(count):
    return [int(i) for i in np.linspace(0, count - 1, 40)]


def measure(arch, side):
    net = zoo.build(arch, None, CLASSES, 3, side, False, False)
    table = fill(net)
    net.double().eval()
    image = torch.from_numpy(u("attention", BATCH * 3 * side * side)).view(BATCH, 3, side, side).requires_grad_(True)
    seen = {}

    def keep(module, inputs, output):
        seen["features"] = output
        output.register_hook(lambda gradient: seen.update(gradient=gradient))

    last_features(net, arch).register_forward_hook(keep)
    logits = net(image)
    asked = torch.tensor([(3 * k + 1) % CLASSES for k in range(BATCH)])
    logits.gather(1, asked.unsqueeze(1)).sum().backward()
    features, gradient = seen["features"].detach(), seen["gradient"]
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    cam = F.relu((weights * features).sum(dim=1))
    large = F.interpolate(cam.unsqueeze(1), (side, side), mode="bilinear", align_corners=False).squeeze(1)
    saliency = image.grad.abs().amax(dim=1)
    flat = places(BATCH * side * side)
    return {
        "arch": arch, "side": side, "batch": BATCH, "classes": CLASSES, "asked": asked.tolist(),
        "parameters": [[name, amplitude, offset] for name, (amplitude, offset) in table.items()],
        "height": cam.shape[1], "width": cam.shape[2], "gradcam": cam.flatten().tolist(),
        "places": flat, "enlarged": large.flatten()[flat].tolist(), "saliency": saliency.flatten()[flat].tolist(),
        "saliency_rows": saliency.sum(dim=2).flatten().tolist(), "saliency_columns": saliency.sum(dim=1).flatten().tolist(),
    }


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "attention.json")
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(json.loads(json.dumps(measure(*case)), parse_float=lambda t: round(float(t), 12))) for case in CASES)
                   + "\n]\n")


main()
