"""Writes ../golden/*.json: what PyTorch computes, in double precision, for the test that needs no PyTorch.

usage: make_golden.py [--only TEXT] [--output DIR]        (some twenty minutes; TEXT: only cases whose name contains it)

No weights are stored: formula.py makes them from their names. The images are u(<"image" of the file>, i), the label of
sample k is k mod classes, counters start at 0, and dropout is off.

<case>.json, one a network:
    arch act squeeze_excite channels side classes batch image stem (of ConvNeXt, where it is not its own)
    parameters     [name, elements, amplitude, offset, norm, dot]: norm = L2 norm of the gradient of `loss`,
                   dot = sum over i of gradient[i] u(name + ".probe", i)
    statistics     [name, elements, amplitude, offset, norm, dot] of every running mean and variance, after the one
                   training forward that gave `loss`
    eval_logits    inference, the whole batch, the first `columns` classes
    train_logits   training (batch statistics), the same
    loss           mean cross-entropy of train_logits
    lr momentum weight_decay    SGD with Nesterov momentum; only convolution and linear weights decay
    losses         losses[k] = training loss after k steps on the same batch (losses[0] = loss); empty: not computed
    eval_loss      inference loss after the last of these; it depends on the running statistics
    float32        how far PyTorch in float32 is from these numbers: the worst of three runs, two convolution libraries
                   and one with weights changed by up to 2e-6 of themselves (the noise of a Winograd convolution).
                   logits: max |difference| / max |logit|; loss, losses, eval_loss: relative;
                   norm and dot of gradients and statistics: |difference| / (norm + gradient_floor or 0), worst over all,
                   and for the gradients the median too. With kinked activations (and max pools) a few values near a kink
                   change sides: such gradients agree to 1e-3 or 1e-2 and no better
    gradient_floor 1e-3 of the whole gradient's norm: some gradients are zero but for rounding (a bias before a batch norm)

activations.json: {"x": [...], "<name or name:parameter>": {"f": [...], "df": [...]}, ...} by autograd."""
import argparse
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

import zoo
from formula import fill, tensors_of, u

LOGIT_COLUMNS = 20
FLOOR = 1e-3
NOISE = 2e-6
LEARNING_RATE = 2e-4                     # the loss should fall in ten steps, but stay far from 0
RATES = {"lenet": 0.01, "efficientnet_lite0": 0.001}
MOMENTUM, WEIGHT_DECAY = 0.9, 0.1        # much decay, so that ten steps show it


# ---- one network ------------------------------------------------------------------------------------------------


class Case:
    def __init__(self, arch, side=32, channels=3, classes=10, batch=8, act=None, squeeze_excite=False, steps=10,
                 image="image", stem=0):
        self.arch, self.side, self.channels, self.classes, self.batch = arch, side, channels, classes, batch
        self.act, self.squeeze_excite = act or zoo.ARCHITECTURES[arch][0], squeeze_excite
        self.lr, self.steps, self.image, self.stem = RATES.get(arch, LEARNING_RATE), steps, image, stem
        variant = (f"-{act}" if act else "") + ("-se" if squeeze_excite else "") + (f"-stem{stem}" if stem else "")
        self.name = f"{arch}{variant}-{side}x{side}x{channels}"

    def describe(self):
        keys = ["arch", "act", "squeeze_excite", "channels", "side", "classes", "batch", "image"] + (["stem"] if self.stem else [])
        return {key: getattr(self, key) for key in keys}


def measure(case, dtype, noise=0.0):
    """Everything that the file holds, as numpy arrays of double."""
    net = zoo.build(case.arch, case.act, case.classes, case.channels, case.side, False, case.squeeze_excite, case.stem)
    table = fill(net, noise)
    net.to(dtype)
    shape = (case.batch, case.channels, case.side, case.side)
    image = torch.from_numpy(u(case.image, int(np.prod(shape)))).view(shape).to(dtype)
    labels = torch.arange(case.batch) % case.classes
    trained = dict(net.named_parameters())
    result = {"table": table, "elements": {name: t.numel() for name, t in tensors_of(net).items()}}

    def digest(name, values):
        values = values.detach().numpy().astype(np.float64).ravel()
        return np.linalg.norm(values), values @ u(name + ".probe", values.size)

    def logits(training):
        net.train(training)
        return net(image)

    with torch.no_grad():
        result["eval_logits"] = logits(False).numpy().astype(np.float64)
    weights = [p for name, p in trained.items() if p.ndim > 1 and not name.endswith("layer_scale")]
    plain = [p for name, p in trained.items() if p.ndim == 1 or name.endswith("layer_scale")]
    optimizer = torch.optim.SGD([{"params": weights, "weight_decay": WEIGHT_DECAY}, {"params": plain}], case.lr,
                                momentum=MOMENTUM, nesterov=True)
    losses = []
    for step in range(case.steps + 1):
        optimizer.zero_grad()
        y = logits(True)
        loss = F.cross_entropy(y, labels)
        losses.append(loss.item())
        if step == 0:
            result["train_logits"] = y.detach().numpy().astype(np.float64)
            result["statistics"] = {name: digest(name, t) for name, t in tensors_of(net).items() if name not in trained}
            loss.backward()
            result["gradients"] = {name: digest(name, p.grad) for name, p in trained.items()}
        elif step < case.steps:
            loss.backward()
        if step < case.steps:
            optimizer.step()
    result["losses"] = np.array(losses)
    with torch.no_grad():
        result["eval_loss"] = F.cross_entropy(logits(False), labels).item()
    return result


def relative(a, b):
    return float(np.max(np.abs(np.asarray(a) - b) / np.abs(b)))


def distance(single, double, floor):
    """How far a float32 result is from the double one."""
    def logits(key):
        return float(np.max(np.abs(single[key] - double[key])) / np.max(np.abs(double[key])))

    def digests(key, floor):
        return [max(abs(np.subtract(single[key][name], pair))) / (pair[0] + floor) for name, pair in double[key].items()]

    return {"eval_logits": logits("eval_logits"), "train_logits": logits("train_logits"),
            "loss": relative(single["losses"][:1], double["losses"][:1]),
            "gradients": float(max(digests("gradients", floor))), "gradients_median": float(np.median(digests("gradients", floor))),
            "statistics": float(max(digests("statistics", 0), default=0.0)),
            "losses": relative(single["losses"], double["losses"]),
            "eval_loss": relative(single["eval_loss"], double["eval_loss"])}


def make(case):
    double = measure(case, torch.float64)
    floor = FLOOR * float(np.linalg.norm([norm for norm, _ in double["gradients"].values()]))
    singles = []
    for library, noise in ((True, 0), (False, 0), (True, NOISE)):
        with torch.backends.mkldnn.flags(enabled=library):
            singles.append(distance(measure(case, torch.float32, noise), double, floor))
    worst = {key: max(one[key] for one in singles) for key in singles[0]}

    def rows(key):
        return [[name, double["elements"][name], *double["table"][name], *pair] for name, pair in double[key].items()]

    stepped = case.steps > 0
    return {**case.describe(), "columns": min(case.classes, LOGIT_COLUMNS),
            "eval_logits": double["eval_logits"][:, :LOGIT_COLUMNS].tolist(),
            "train_logits": double["train_logits"][:, :LOGIT_COLUMNS].tolist(),
            "loss": float(double["losses"][0]), "lr": case.lr, "momentum": MOMENTUM,
            "weight_decay": WEIGHT_DECAY,
            "losses": double["losses"].tolist() if stepped else [], "eval_loss": double["eval_loss"],
            "gradient_floor": floor, "float32": {key: float(f"{value:.2g}") for key, value in worst.items()},
            "parameters": rows("gradients"), "statistics": rows("statistics")}


# ---- files ------------------------------------------------------------------------------------------------------


def compact(value):
    """One line a key, one line a row; 12 digits."""
    def number(x):
        return x if isinstance(x, int) else float(f"{x:.12g}")

    def tidy(x):
        if isinstance(x, list):
            return [tidy(y) for y in x]
        if isinstance(x, dict):
            return {key: tidy(y) for key, y in x.items()}
        return number(x) if isinstance(x, (int, float)) else x

    def text(x):
        return json.dumps(x, separators=(",", ":"))

    lines = []
    for key, item in tidy(value).items():
        if isinstance(item, list) and item and isinstance(item[0], list):
            lines.append(f"{text(key)}:[\n" + ",\n".join(text(row) for row in item) + "]")
        else:
            lines.append(f"{text(key)}:{text(item)}")
    return "{" + ",\n".join(lines) + "}\n"


def activations():
    grid = np.concatenate([np.arange(-12, 12.001, 0.25) + 0.03, [-100, -88, -30, -20.5, -1e-3, -1e-6, 1e-6, 1e-3, 20.5, 30, 88, 100]])
    names = [*zoo.ACTIVATIONS, "leaky_relu:0.2", "prelu:0.1", "elu:0.5", "celu:2"]
    result = {"x": sorted(float(f"{x:.12g}") for x in grid)}
    for name in names:
        x = torch.tensor(result["x"], dtype=torch.float64, requires_grad=True)
        y = zoo.activation(name)(1).double()(x.view(-1, 1)).sum()
        f = zoo.activation(name)(1).double()(x.view(-1, 1)).detach().flatten()
        (df,) = torch.autograd.grad(y, x)
        result[name] = {"f": f.tolist(), "df": df.tolist()}
    return result


def cases():
    every = list(zoo.ARCHITECTURES)
    # vgg16 ends in 2x2 cells, few to take statistics of: larger batches. image.N: images that are far from kinks and from ties in max pools.
    small = [Case(arch) if arch != "vgg16" else Case(arch, batch=16, image="image.1") for arch in every]
    grey = [Case(arch, side=28, channels=1) for arch in ("lenet", "baseline", "resnet18", "airbench")]
    large = [Case(arch, side=224, classes=1000, batch=2, steps=10 if arch == "resnet18" else 0)
             for arch in every if arch != "baseline"]      # which has no large form: 64 is its largest
    other = [Case("baseline", side=64), Case("baseline", act="prelu"), Case("convnext_atto", act="prelu"),
             Case("resnet18", act="mish"), Case("vgg16", act="silu", batch=32, image="image.1"), Case("alexnet", act="elu", image="image.3"),
             Case("efficientnet_lite0", squeeze_excite=True), Case("tf_efficientnet_lite0", act="silu"), Case("convnext_atto", stem=1, batch=4)]
    return small + grey + large + other


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--output", default=os.path.join(here, "..", "golden"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.makedirs(options.output, exist_ok=True)

    def write(name, value):
        with open(os.path.join(options.output, name + ".json"), "w") as file:
            file.write(compact(value))

    if options.only in "activations":
        write("activations", activations())
    for case in cases():
        if options.only in case.name:
            result = make(case)
            write(case.name, result)
            losses = result["losses"] or [result["loss"]]
            print(f"{case.name:36s} loss {losses[0]:.4f} .. {losses[-1]:.4f} eval {result['eval_loss']:.4f} "
                  f"float32 {json.dumps(result['float32'])}", flush=True)


if __name__ == "__main__":
    main()
