"""Writes ../golden/optimizers.json and schedules.json: ten steps of every optimiser that PyTorch has, in double precision, and the
curves of its schedules.

usage: make_optimizer_golden.py [--output DIR]        (a second)

optimizers.json: steps, and cases, each with name, opt, options (as OptimizerOptions' fields), lr, clip, clip_mode, groups
(parameter_groups.h) and values: every parameter after the steps. Weights and gradients are number(key, i), which the test computes
too: key 7000 + p for the values of parameter p, 100 p + s for its gradient at step s. The rate of step s is lr (1 - s / 20). Only
weights of layers decay.
schedules.json: cases, each with name, the fields of Schedule, and rates: one a step."""
import argparse
import json
import math
import os

import torch

STEPS = 10
SHAPES = {                                  # as the test's network has them, in its order
    "conv.weight": (5, 3, 3, 3), "bn.weight": (5,), "bn.bias": (5,),
    "mix.weight": (19, 5, 1, 1), "mix.bias": (19,), "fc.weight": (7, 19), "fc.bias": (7,),
}
DECAYED = ("conv.weight", "mix.weight", "fc.weight")


def number(key, i):
    return ((i * i * 17 + i * 13 * (key + 1) + 29 * key) % 97 - 48) / 128


def tensor(key, shape):
    return torch.tensor([number(key, i) for i in range(math.prod(shape))], dtype=torch.float64).reshape(shape)


# ---- optimisers ---------------------------------------------------------------------------------------------------

SGD = dict(momentum=0.9, weight_decay=0.05)
ADAM = dict(beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=0.05)


def betas(o):
    return dict(betas=(o["beta1"], o["beta2"]), eps=o["eps"])


def sgd(groups, o, lr):
    return torch.optim.SGD(groups, lr=lr, momentum=o["momentum"], nesterov=o.get("nesterov", False))


class NAdam(torch.optim.Optimizer):
    """As PyTorch has it from 2.0 on; before, mu_t was twice in the product up to t + 1."""

    def __init__(self, groups, lr, betas, eps):
        super().__init__(groups, dict(lr=lr, betas=betas, eps=eps, weight_decay=0))

    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                s, (b1, b2) = self.state[p], group["betas"]
                if not s:
                    s.update(t=0, product=1.0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                s["t"] += 1
                mu, after = (b1 * (1 - 0.5 * 0.96 ** (t * 0.004)) for t in (s["t"], s["t"] + 1))
                s["product"] *= mu
                grad = p.grad + group["weight_decay"] * p.data
                s["m"].mul_(b1).add_(grad, alpha=1 - b1)
                s["v"].mul_(b2).addcmul_(grad, grad, value=1 - b2)
                denominator = s["v"].div(1 - b2 ** s["t"]).sqrt().add_(group["eps"])
                p.data.addcdiv_(grad, denominator, value=-group["lr"] * (1 - mu) / (1 - s["product"]))
                p.data.addcdiv_(s["m"], denominator, value=-group["lr"] * after / (1 - s["product"] * after))


RULES = {
    "sgd": sgd,
    "nesterov": lambda groups, o, lr: torch.optim.SGD(groups, lr=lr, momentum=o["momentum"], nesterov=True),
    "adamw": lambda groups, o, lr: torch.optim.AdamW(groups, lr=lr, **betas(o)),
    "adam": lambda groups, o, lr: torch.optim.Adam(groups, lr=lr, **betas(o)),
    "nadam": lambda groups, o, lr: NAdam(groups, lr=lr, **betas(o)),
    "rmsprop": lambda groups, o, lr: torch.optim.RMSprop(groups, lr=lr, alpha=o["beta2"], eps=o["eps"], momentum=o["momentum"]),
    "adagrad": lambda groups, o, lr: torch.optim.Adagrad(groups, lr=lr, eps=o["eps"]),
}

# name, rule, options, lr, clip, clip mode, and what the groups' text means: (text, {parameter: (lr factor, decay factor, frozen)})
PLAIN = ("", {})
GROUPS = ("norm-bias lr*16 decay/4; fc.* lr*0.5; mix.* frozen", {
    "bn.bias": (16, 0.25, False), "fc.weight": (0.5, 1, False), "fc.bias": (0.5, 0, False),
    "mix.weight": (1, 1, True), "mix.bias": (1, 0, True),
})
CASES = [
    ("sgd", "sgd", dict(momentum=0.0, weight_decay=0.0), 0.1, 0, "norm", PLAIN),
    ("sgd, momentum, decay, clipped", "sgd", SGD, 0.1, 1.5, "norm", PLAIN),
    ("sgd, nesterov, groups", "sgd", dict(SGD, nesterov=True), 0.05, 0, "norm", GROUPS),
    ("sgd, clipped by value", "sgd", SGD, 0.1, 0.2, "value", PLAIN),
    ("nesterov", "nesterov", SGD, 0.1, 1.5, "norm", PLAIN),
    ("adamw", "adamw", ADAM, 0.02, 0, "norm", PLAIN),
    ("adamw, groups, clipped", "adamw", ADAM, 0.02, 1.5, "norm", GROUPS),
    ("adam", "adam", ADAM, 0.02, 1.5, "norm", PLAIN),
    ("nadam", "nadam", ADAM, 0.02, 1.5, "norm", PLAIN),
    ("rmsprop", "rmsprop", dict(momentum=0.0, beta2=0.95, eps=1e-6, weight_decay=0.0), 0.01, 0, "norm", PLAIN),
    ("rmsprop, momentum, decay, clipped", "rmsprop", dict(momentum=0.9, beta2=0.95, eps=1e-6, weight_decay=0.05), 0.01, 1.5, "norm", PLAIN),
    ("adagrad", "adagrad", dict(eps=1e-8, weight_decay=0.05), 0.05, 1.5, "norm", PLAIN),
]


def values_after(rule, options, lr, clip, clip_mode, wishes):
    params, groups = {}, []
    for p, (name, shape) in enumerate(SHAPES.items()):
        params[name] = tensor(7000 + p, shape).requires_grad_()
        factor, decay, frozen = wishes.get(name, (1, float(name in DECAYED), False))
        if not frozen:
            groups.append(dict(params=[params[name]], factor=factor, weight_decay=decay * options["weight_decay"]))
    moved = [group["params"][0] for group in groups]
    optimizer = RULES[rule](groups, options, lr)
    for s in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = lr * (1 - s / 20) * group["factor"]
        for p, (name, shape) in enumerate(SHAPES.items()):
            params[name].grad = tensor(100 * p + s, shape)
        if clip and clip_mode == "norm":
            torch.nn.utils.clip_grad_norm_(moved, clip)
        elif clip:
            torch.nn.utils.clip_grad_value_(moved, clip)
        optimizer.step()
    return {name: [float(f"{x:.9g}") for x in value.detach().flatten().tolist()] for name, value in params.items()}


def optimizers():
    cases = []
    for name, rule, options, lr, clip, clip_mode, (text, wishes) in CASES:
        cases.append(dict(name=name, opt=rule, options=options, lr=lr, clip=clip, clip_mode=clip_mode, groups=text,
                          values=values_after(rule, options, lr, clip, clip_mode, wishes)))
    return dict(torch=torch.__version__, steps=STEPS, cases=cases)


# ---- schedules ----------------------------------------------------------------------------------------------------

TOTAL = 60


def rates_of(make, lr=0.4, steps=TOTAL):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = make(optimizer)
    rates = []
    for step in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < steps - 1:
            scheduler.step()
    return rates


def after_warmup(make, warmup, start, lr=0.4):
    """torchvision's way: a linear rise, then the schedule. Ours ends the rise at lr in the last step of warm-up."""
    rise = [start + (lr - start) * (step + 1) / warmup for step in range(warmup)]
    return rise + rates_of(make, lr, TOTAL - warmup)


def schedules():
    from torch.optim import lr_scheduler as S
    cases = [
        ("cosine", "cosine", dict(min_lr=0.1), rates_of(lambda o: S.CosineAnnealingLR(o, TOTAL, 0.1))),
        ("cosine, warm-up", "cosine", dict(warmup=10, warmup_lr=0.04), after_warmup(lambda o: S.CosineAnnealingLR(o, 50), 10, 0.04)),
        ("linear", "linear", dict(min_lr=0.1), rates_of(lambda o: S.LinearLR(o, 1, 0.25, TOTAL))),
        ("linear, warm-up", "linear", dict(warmup=10), after_warmup(lambda o: S.LinearLR(o, 1, 0, 50), 10, 0)),
        ("step", "step", dict(decay_steps=7, decay_rate=0.5), rates_of(lambda o: S.StepLR(o, 7, 0.5))),
        ("multistep", "multistep", dict(epoch_steps=5, milestones=[2, 7.4, 10], decay_rate=0.3),
         rates_of(lambda o: S.MultiStepLR(o, [10, 37, 50], 0.3))),
        ("poly", "poly", dict(power=0.9), rates_of(lambda o: S.PolynomialLR(o, TOTAL, 0.9))),
        ("poly, warm-up", "poly", dict(power=2, warmup=10), after_warmup(lambda o: S.PolynomialLR(o, 50, 2), 10, 0)),
        ("exp", "exp", dict(decay_steps=20, decay_rate=0.1), rates_of(lambda o: S.ExponentialLR(o, 0.1 ** (1 / 20)))),
        ("constant", "constant", dict(), rates_of(lambda o: S.ConstantLR(o, 1, TOTAL))),
        ("onecycle", "onecycle", dict(start=-1, peak=-1, end=-1),
         rates_of(lambda o: S.OneCycleLR(o, 0.4, TOTAL))),
        ("onecycle, other shares", "onecycle", dict(start=0.1, peak=0.25, end=0.01),
         rates_of(lambda o: S.OneCycleLR(o, 0.4, TOTAL, pct_start=0.25, div_factor=10, final_div_factor=10), 0.4)),
    ]
    return dict(torch=torch.__version__, steps=TOTAL, lr=0.4, plateau=plateau(),
                cases=[dict(name=n, sched=k, fields=f, rates=[float(f"{x:.9g}") for x in r]) for n, k, f, r in cases])


def plateau():
    losses = [2.0, 1.5, 1.6, 1.49999, 1.55, 1.4, 1.41, 1.42, 1.43, 1.39, float("nan"), 1.395, 1.3, 1.31, 1.32, 1.33, 1.34, 1.35, 1.2]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2, min_lr=0.06)
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return dict(patience=2, decay_rate=0.5, min_lr=0.06, losses=[x if x == x else None for x in losses], rates=rates)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
    folder = parser.parse_args().output
    for name, content in (("optimizers", optimizers()), ("schedules", schedules())):
        with open(os.path.join(folder, name + ".json"), "w") as file:
            json.dump(content, file, separators=(",", ":"))
            file.write("\n")


if __name__ == "__main__":
    main()
