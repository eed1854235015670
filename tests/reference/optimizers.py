"""What makes a step, and averages beside it, in PyTorch, as the settings say."""
import torch

import recipe

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Jordan et al., 2024: momentum made orthogonal; the trainer's optimizers/muon.c."""

    def __init__(self, groups, momentum, nesterov, rounds, normalise):
        super().__init__(groups, {"lr": 0.0, "momentum": momentum, "nesterov": nesterov, "rounds": rounds, "normalise": normalise, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for w in group["params"]:
                state = self.state[w]
                v = state.setdefault("momentum_buffer", torch.zeros_like(w)).mul_(group["momentum"]).add_(w.grad)
                u = (w.grad + group["momentum"] * v if group["nesterov"] else v).reshape(len(w), -1)
                tall = max(1, len(u) / u.shape[1]) ** 0.5
                if group["normalise"]:
                    w.mul_(len(w) ** 0.5 / w.norm())
                w.mul_(1 - group["lr"] * group["weight_decay"]).add_(self.orthogonal(u, group["rounds"]).view(w.shape), alpha=-group["lr"] * tall)

    @staticmethod
    def orthogonal(u, rounds):
        a, b, c = NEWTON_SCHULZ
        turned = len(u) > u.shape[1]
        x = (u.T if turned else u) / (u.norm() + 1e-7)
        for _ in range(rounds):
            square = x @ x.T
            x = a * x + (b * square + c * square @ square) @ x
        return x.T if turned else x


class Optimizer:
    """One or two of PyTorch's, the rate of each group a factor of the run's, and clipping before the step."""

    def __init__(self, net, settings):
        s = settings
        muon = s["opt"] == "muon"
        depthwise = {f"{name}.weight" for name, module in net.named_modules() if getattr(module, "groups", 1) > 1}
        roles = recipe.roles_of(net)

        def takes(name, parameter):
            return muon and "weight" in roles[name] and "head" not in roles[name] and name not in depthwise

        matrices, rest = recipe.groups_of(net, s, takes, s["muon-other-lr"] if muon else 1.0)
        momentum = (s["muon-other-momentum"] or s["momentum"]) if muon else s["momentum"]
        self.rules = [Muon(matrices, s["momentum"], s["nesterov"], s["muon-rounds"] or 5, s["muon-normalise"])] if matrices else []
        kind = s["muon-other"] if muon else s["opt"]
        if kind in ("adam", "adamw"):
            rule = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
            self.rules.append(rule(rest, 0.0, (s["opt-beta1"], s["opt-beta2"]), s["opt-eps"]))
        else:
            nesterov = momentum > 0 and (s["nesterov"] or kind == "nesterov")
            self.rules.append(torch.optim.SGD(rest, 0.0, momentum, nesterov=nesterov))
        self.clip = s["clip-grad"]
        self.parameters = [p for p in net.parameters() if p.requires_grad]

    def zero_grad(self):
        for rule in self.rules:
            rule.zero_grad(set_to_none=True)

    def step(self, lr):
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        for rule in self.rules:
            for group in rule.param_groups:
                group["lr"] = lr * group["factor"]
            rule.step()


def floats(net):
    """Weights and running statistics."""
    return [t for t in net.state_dict().values() if t.is_floating_point()]


class Averages:
    """Lookahead, which moves the weights back, and the moving average that is validated."""

    def __init__(self, net, settings, steps):
        self.net, self.s, self.steps = net, settings, steps
        self.slow = [t.clone() for t in self.looked_at()] if settings["lookahead"] else None
        self.average = [t.clone() for t in floats(net)] if settings["model-ema"] else None

    def looked_at(self):
        return floats(self.net) if self.s["lookahead-rising"] else [p.data for p in self.net.parameters()]

    def after_step(self, step):
        """step: how many are done."""
        if self.slow:
            k = self.s["lookahead-k"]
            alpha = 1 - 0.95**k * (step / self.steps) ** 3 if self.s["lookahead-rising"] else self.s["lookahead-alpha"]
            turn = step % k == 0
            for slow, fast in zip(self.slow, self.looked_at()):
                if turn:
                    slow.lerp_(fast, alpha)
                if turn or step == self.steps:
                    fast.copy_(slow)
        if self.average:
            decay = 0 if step == 1 else min(self.s["model-ema-decay"], 1 - step ** (-2 / 3) if self.s["model-ema-warmup"] else 1)
            for average, t in zip(self.average, floats(self.net)):
                average.lerp_(t, 1 - decay)

    def swap(self):
        """The average for the weights, or back."""
        for average, t in zip(self.average or [], floats(self.net)):
            kept = t.clone()
            t.copy_(average)
            average.copy_(kept)
