"""A run's settings in PyTorch: args.json of convzoo's `train`, or the same names as a dictionary, with what PyTorch needs to do likewise.

What cannot be done is refused with its name, never left out in silence."""
import fnmatch
import json
import math

import torch
from torch import nn

import zoo

# What is done here, with the values that hold where nothing is said.
DEFAULTS = {
    "arch": "baseline", "act": None, "dropout": True, "squeeze-excite": False, "stem": 0, "small-stem": 0, "bn-eps": 0.0, "bn-momentum": 0.0, "zero-init-last": False,
    "identity-init": False, "layer-scale": 0.0, "whiten": 0.0, "data": None, "val-split": "data_batch_5", "limit": 0, "train-img-size": "none", "aug": True, "crop-pad": 4, "hflip": "auto",
    "pad-mode": "mean", "reprob": 0.0, "cutout-size": 0.0, "mixup": 0.0, "cutmix": 0.0, "mixup-prob": 1.0, "mixup-off-epoch": 0,
    "epochs": 5, "batch-size": 0, "usual-batch-size": 128, "smoothing": 0.0, "opt": "sgd", "momentum": 0.9, "nesterov": True, "opt-beta1": 0.9, "opt-beta2": 0.999,
    "opt-eps": 1e-8, "weight-decay": 5e-4, "clip-grad": 0.0, "param-groups": "none", "muon-other-lr": 0.1, "muon-other-momentum": 0.0,
    "muon-rounds": 0, "muon-normalise": False, "muon-other": "adamw", "sched": "cosine", "lr": 0.1, "min-lr": 0.0, "warmup-epochs": -1.0, "decay-epochs": 0.0,
    "decay-rate": 0.1, "warmup-lr": 0.0, "sched-power": 1.0, "sched-start": -1.0, "sched-peak": -1.0, "sched-end": -1.0, "seed": 42,
    "logit-scale": 1.0, "model-ema": False, "model-ema-decay": 0.999, "model-ema-warmup": True, "lookahead": False, "lookahead-k": 5, "lookahead-alpha": 0.5,
    "lookahead-rising": False, "amp": False, "threads": 0,
}

# What is not done here, with the value that asks for nothing.
UNABLE = {
    "gate-same": False, "drop": 0.0, "drop-path": 0.0, "depth": 0, "width": 0, "freeze": None, "unfreeze-epoch": 0, "head-lr-mult": 1.0,
    "img-size": 0, "crop": "centre", "crop-pct": 1.0, "in-chans": 0, "scale": ("auto", "off"), "vflip": 0.0, "rotate": 0.0, "aa": "none", "color-jitter": 0.0,
    "grayscale-prob": 0.0, "gaussian-blur-prob": 0.0, "noise-std": 0.0, "remode": "const", "recount": 1, "loss": "ce", "class-weights": "none", "balance": False,
    "clip-mode": "norm", "decay-milestones": "none", "swa-start": 0, "sam-rho": 0.0, "grad-accum-steps": 1, "early-stop": 0, "max-time": 0.0,
    "bn": "local", "reproducible": False, "lr-scaling": "none", "gradient-type": "f32",
}

# What changes nothing in the result, or belongs to what is refused above.
WITHOUT_EFFECT = set("""initial-checkpoint interpolation skip-bad exif-orientation ratio val-batch-size opt-betas patience-epochs swa-lr early-delta early-metric plan
    workers recovery-interval log-interval log act-stats output max-steps recipe bucket-bytes overlap""".split())

# Of settings that this file does not know: nothing is asked for.
NOTHING = (None, False, 0, "none", "auto", "off", "")


class Refused(ValueError):
    pass


def refuse(name, value):
    raise Refused(f"cannot do this in PyTorch: --{name} {value}: leave it out, or add it to tests/reference/recipe.py")


# ---- settings ---------------------------------------------------------------------------------------------------


def settle_pipeline(settings, text):
    """Writes a text of steps, --aug, as the flags that mean the same."""
    settings.update({"crop-pad": 0, "hflip": "off"})
    for step in text.split():
        words, _, rate = step.partition("@")
        key, _, rest = words.partition(":")
        values = rest.split(",") if rest else []
        value = dict(enumerate(values))
        if key == "crop" and not rate:
            settings.update({"crop-pad": int(value.get(0, 4)), "pad-mode": value.get(1, "mean")})
        elif key == "hflip" and not rate and float(value.get(0, 0.5)) == 0.5:
            settings["hflip"] = "alternating" if value.get(1) == "alternating" else "on"
        elif key == "cutout" and not rate:
            settings["cutout-size"] = float(value.get(0, 8))
        elif key == "erase" and not rate and len(values) < 2:
            settings["reprob"] = float(value.get(0, 0.25))
        elif key in ("mixup", "cutmix"):
            settings.update({key: float(value.get(0, 0.2 if key == "mixup" else 1)), "mixup-off-epoch": int(value.get(1, 0)), "mixup-prob": float(rate or 1)})
        else:
            refuse("aug", step)
    settings["aug"] = True


def settle(given):
    """All settings; Refused for one that asks for what is not done here."""
    settings = {**DEFAULTS, **{name: value for name, value in given.items() if name in DEFAULTS}}
    for name, value in given.items():
        if name in UNABLE:
            neutral = UNABLE[name]
            if value not in (neutral if isinstance(neutral, tuple) else (neutral,)):
                refuse(name, value)
        elif name not in DEFAULTS and name not in WITHOUT_EFFECT and value not in NOTHING:
            refuse(name, value)
    if isinstance(settings["aug"], str):
        settle_pipeline(settings, settings["aug"])
    known = {"sched": SCHEDULES, "opt": ("sgd", "nesterov", "adam", "adamw", "muon"), "arch": zoo.ARCHITECTURES}
    for name, choices in known.items():
        if settings[name] not in choices:
            refuse(name, settings[name])
    if settings["opt"] == "muon" and settings["muon-other"] not in ("sgd", "nesterov", "adam", "adamw"):
        refuse("muon-other", settings["muon-other"])
    return settings


def load(path):
    with open(path) as file:
        return settle(json.load(file))


# ---- learning rate ----------------------------------------------------------------------------------------------


def share_or(share, usual):
    return usual if share < 0 else share


def after_warmup(s, step, steps, warmup, least):
    done = (step - warmup) / (steps - warmup)
    return s["min-lr"] + (s["lr"] - s["min-lr"]) * least(done)


def triangle(s, step, steps):
    start, end = share_or(s["sched-start"], 0.2), share_or(s["sched-end"], 0.07)
    peak = math.floor((share_or(s["sched-peak"], 0.23) + 1e-7) * steps)      # 0.29 of 100 is 29
    return s["lr"] * (start + (1 - start) * step / peak if step < peak else 1 + (end - 1) * (step - peak) / (steps - peak))


def onecycle(s, step, steps):
    start, end = share_or(s["sched-start"], 0.04), share_or(s["sched-end"], 4e-6)
    peak, last = share_or(s["sched-peak"], 0.3) * steps - 1, steps - 1

    def between(a, b, share):
        return b + (a - b) * (1 + math.cos(math.pi * share)) / 2

    return s["lr"] * (between(start, 1, step / peak) if step < peak else between(1, end, (step - max(peak, 0)) / (last - max(peak, 0))))


# name: (rises by itself, rate). Those that do not rise have a warm-up before them.
SCHEDULES = {
    "cosine": (False, lambda s, step, steps, warmup: after_warmup(s, step, steps, warmup, lambda d: (1 + math.cos(math.pi * d)) / 2)),
    "linear": (False, lambda s, step, steps, warmup: after_warmup(s, step, steps, warmup, lambda d: 1 - d)),
    "poly": (False, lambda s, step, steps, warmup: after_warmup(s, step, steps, warmup, lambda d: (1 - d) ** s["sched-power"])),
    "step": (False, lambda s, step, steps, warmup: s["lr"] * s["decay-rate"] ** (step // s["decay-steps"])),
    "constant": (False, lambda s, step, steps, warmup: s["lr"]),
    "triangle": (True, lambda s, step, steps, warmup: triangle(s, step, steps)),
    "onecycle": (True, lambda s, step, steps, warmup: onecycle(s, step, steps)),
}


def learning_rates(settings, epoch_steps):
    """The rate of every step."""
    steps = settings["epochs"] * epoch_steps
    rises, rate = SCHEDULES[settings["sched"]]
    epochs = settings["warmup-epochs"]
    warmup = 0 if rises else steps // 10 if epochs < 0 else round(epochs * epoch_steps)
    s = {**settings, "decay-steps": max(1, round((settings["decay-epochs"] or settings["epochs"] / 3) * epoch_steps))}
    first = settings["warmup-lr"]
    return [first + (s["lr"] - first) * (step + 1) / warmup if step < warmup else rate(s, step, steps, warmup) for step in range(steps)]


# ---- sizes of the training images -------------------------------------------------------------------------------


def training_sides(settings, full):
    """The side of the training images in every epoch (stage_sizes.h)."""
    epochs, text = settings["epochs"], settings["train-img-size"]
    sides, end = [], 0
    for side, length in (item.partition(":")[::2] for item in text.split(",") if text != "none"):
        end += epochs * 100 if not length else int(length[:-1]) * epochs if length.endswith("%") else int(length) * 100      # in hundredths of an epoch
        pixels = int(int(side[:-1]) / 100 * full + 0.5) if side.endswith("%") else int(side)
        sides += [pixels] * (min(end // 100, epochs) - len(sides))
    return sides + [full] * (epochs - len(sides))


# ---- network ----------------------------------------------------------------------------------------------------


def stem(settings):
    return settings["stem"] or settings["small-stem"]      # images are small: images.py


def build(settings):
    """The network with its first values, but for whitening."""
    s = settings
    net = zoo.build(s["arch"], s["act"], dropout=s["dropout"], squeeze_excite=s["squeeze-excite"], stem=stem(s))
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps, module.momentum = s["bn-eps"] or module.eps, s["bn-momentum"] or module.momentum
        if s["identity-init"] and isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3) and module.groups == 1:
            nn.init.dirac_(module.weight.data[:module.in_channels])
        if s["zero-init-last"]:
            last = module.bn2 if isinstance(module, zoo.BasicBlock) else module.bn3 if isinstance(module, zoo.InvertedResidual) and module.residual else None
            if last:
                nn.init.zeros_(last.weight)
        if s["layer-scale"] and isinstance(module, zoo.ConvNeXtBlock):
            nn.init.constant_(module.layer_scale, s["layer-scale"])
    return net


def whiten(net, images, eps):
    """whitening.h: the first convolution's filters from the patches of normalised images."""
    conv = next(module for module in net.modules() if isinstance(module, nn.Conv2d))
    kernel, filters = conv.kernel_size[0], conv.out_channels
    length, step = conv.weight[0].numel(), 1
    while len(images) * ((images.shape[2] - kernel) // step + 1) ** 2 * length**2 > 1e9 and step < kernel:
        step += 1
    patches = images.unfold(2, kernel, step).unfold(3, kernel, step).permute(0, 2, 3, 1, 4, 5).reshape(-1, length).double()
    values, vectors = torch.linalg.eigh(torch.cov(patches.T))
    found = (vectors / torch.sqrt(values.clamp(min=0) + eps)).T.flip(0)
    pairs = min(length, filters // 2)
    with torch.no_grad():
        conv.weight[:2 * pairs] = torch.cat([found[:pairs], -found[:pairs]]).view(2 * pairs, *conv.weight.shape[1:]).float()


# ---- groups of parameters ---------------------------------------------------------------------------------------


def roles_of(net):
    """name of a parameter -> the roles of parameter_groups.c that it has."""
    head = [name for name, module in net.named_modules() if isinstance(module, nn.Linear)][-1]
    roles = {}
    for name, module in net.named_modules():
        norm = isinstance(module, (nn.BatchNorm2d, nn.LayerNorm))
        for part, parameter in module.named_parameters(prefix=name, recurse=False):
            bias = part.endswith("bias")
            weight = parameter.ndim > 1 and not part.endswith("layer_scale")
            found = {"weight": weight, "bias": bias, "norm": norm, "norm-bias": norm and bias, "norm-weight": norm and not bias, "head": name == head,
                     "huge": weight and parameter.numel() > 1 << 23}
            roles[part] = {role for role, has in found.items() if has}
    return roles


ROLES = ("weight", "bias", "norm", "norm-bias", "norm-weight", "head", "huge")


def parameter_settings(name, roles, text):
    """(factor of the rate, factor of the decay, frozen, whether a rule for matrices leaves it to the other), parameter_groups.h."""
    lr, decay, frozen, other = 1.0, float("weight" in roles), False, False
    for wish in (text if text != "none" else "").split(";"):
        who, *words = wish.split() or [""]
        if not (who in roles if who in ROLES else fnmatch.fnmatchcase(name, who)):
            continue
        for word in words:
            if word in ("frozen", "trained"):
                frozen = word == "frozen"
                continue
            if word == "other":
                other = True
                continue
            what, sign, number = word.partition("*") if "*" in word else word.partition("/")
            factor = float(number) if sign == "*" else 1 / float(number)
            lr, decay = (factor, decay) if what == "lr" else (lr, factor)
    return lr, decay, frozen, other


def groups_of(net, settings, takes=lambda name, parameter: False, other_lr=1.0):
    """Two lists of PyTorch's groups, what a rule for matrices takes and the rest; `factor` is that of the run's rate. Freezes what is frozen."""
    roles, groups = roles_of(net), ({}, {})
    for name, parameter in net.named_parameters():
        lr, decay, frozen, other = parameter_settings(name, roles[name], settings["param-groups"])
        if frozen:
            parameter.requires_grad = False
            continue
        rest = other or not takes(name, parameter)
        key = (lr * (other_lr if rest else 1), decay)
        groups[rest].setdefault(key, []).append(parameter)
    return [[{"params": parameters, "factor": lr, "weight_decay": decay * settings["weight-decay"]} for (lr, decay), parameters in part.items()] for part in groups]
