"""A recipe in PyTorch, to compare accuracy and time on the same images.

usage: train_pytorch.py ARCH --data FOLDER [--settings ARGS.JSON] [--set NAME=VALUE]... [--held-out PART] [--start FILE] [--log FILE] [--output FILE]
                        [--act NAME] [--opt NAME] [--lr F] [--weight-decay F] [--smoothing F] [--epochs N] [-b N] [--amp] [--seed N] [--threads N]

FOLDER holds CIFAR-10's binary parts; PART (data_batch_5) is held out and measured after each epoch. --settings takes a run's args.json of convzoo's
`train`, and so its recipe; --set and the short options change single settings, whose names are those of `train`. Without --settings: crops after padding by 4
and horizontal flips; the learning rate up linearly over a tenth of the steps, then down by cosine to 0; cross-entropy; SGD with Nesterov momentum (lr 0.1,
weight decay 5e-4) or AdamW (lr 0.002, 0.05); decay on convolution and linear weights alone. What cannot be done is refused (recipe.py). --start takes the first weights from a checkpoint;
statistics of batch norm begin anew.
The samples of an epoch come in convzoo's order; what augmentation draws is PyTorch's own. One line an epoch; --log writes them as JSON. --output writes a
checkpoint that `evaluate` and `predict` read."""
import argparse
import json
import sys
import time

import torch
import torch.nn.functional as F

import augment
import images
import optimizers
import recipe
import safetensors
import zoo

CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()
WHITENED = 5000                           # images, at most


def usual_batch(batch, count):
    """Less for few images: trainer.c's."""
    while batch > 16 and count < 20 * batch:
        batch //= 2
    return batch


def load_start(net, path):
    """Weights alone: running statistics keep their first values."""
    tensors, _ = safetensors.load(path)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            parameter.copy_(torch.from_numpy(tensors[name].copy()))


class Run:
    """A network that is trained as its settings say. images, labels: bytes, N C H W, and numbers."""

    def __init__(self, settings, data, net=None):
        s = self.s = settings
        torch.manual_seed(s["seed"])
        self.mean, self.std = images.statistics(data[0])
        self.pixels, self.images = data[0], self.normalised(data[0])      # images: of the epoch's size
        self.sides = recipe.training_sides(s, data[0].shape[-1])
        self.labels = torch.from_numpy(data[1])
        self.batch = min(s["batch-size"] or usual_batch(s["usual-batch-size"], len(self.labels)), len(self.labels))
        self.batches = len(self.labels) // self.batch
        self.rates = recipe.learning_rates(s, self.batches)
        self.net = (net or recipe.build(s)).to(memory_format=torch.channels_last)
        if s["whiten"] and not net:
            recipe.whiten(self.net, self.images[images.epoch_order(s["seed"], 0, len(self.labels))[:WHITENED]], s["whiten"])
        self.optimizer = optimizers.Optimizer(self.net, s)
        self.averages = optimizers.Averages(self.net, s, len(self.rates))
        self.augmentation = augment.Augmentation(s, len(self.labels))
        self.step = 0

    def normalised(self, pixels):
        return torch.from_numpy(images.normalise(pixels, self.mean, self.std))

    def loss(self, x, labels, share):
        def of(targets):
            return F.cross_entropy(logits, targets, label_smoothing=self.s["smoothing"])

        with torch.autocast("cpu", torch.bfloat16, enabled=self.s["amp"]):
            logits = self.net(x)
        logits = logits.float() * self.s["logit-scale"]
        return of(labels) if share == 1 else share * of(labels) + (1 - share) * of(labels.flip(0))

    def train_epoch(self, epoch):
        """Yields the loss of each step."""
        self.net.train()
        full, side = self.pixels.shape[-1], self.sides[epoch]
        if side != self.images.shape[-1]:
            self.images = self.normalised(augment.resized(self.pixels, side))
        order = torch.from_numpy(images.epoch_order(self.s["seed"], epoch, len(self.labels)))
        for chosen in order[:self.batches * self.batch].split(self.batch):
            x, share = self.augmentation.mixed(self.augmentation.images(self.images[chosen], chosen, epoch, side / full), epoch)
            self.optimizer.zero_grad()
            loss = self.loss(x.contiguous(memory_format=torch.channels_last), self.labels[chosen], share)
            loss.backward()
            self.optimizer.step(self.rates[self.step])
            self.step += 1
            self.averages.after_step(self.step)
            yield loss.item()

    def hits(self, x, labels):
        """The share of right answers, of the averaged weights where there are such."""
        self.averages.swap()
        self.net.eval()
        with torch.no_grad():
            right = sum((self.net(part).argmax(1) == truth).sum().item() for part, truth in zip(x.split(250), labels.split(250)))
        self.averages.swap()
        return right / len(labels)

    def write(self, path):
        metadata = {"format": "pt", "arch": self.s["arch"], "act": self.s["act"] or zoo.ARCHITECTURES[self.s["arch"]][0], "classes": json.dumps(CLASSES),
                    "mean": json.dumps(self.mean.tolist()), "std": json.dumps(self.std.tolist()), "img_size": "32", "in_chans": "3"}
        metadata.update({"stem": str(stem)} if (stem := recipe.stem(self.s)) else {})
        self.averages.swap()
        safetensors.save(path, {name: t.contiguous().numpy() for name, t in self.net.state_dict().items()}, metadata)
        self.averages.swap()


def value_of(text):
    """As JSON writes it, else a text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def parse():
    parser = argparse.ArgumentParser(usage=__doc__[__doc__.index("usage: ") + 7:])
    parser.add_argument("arch", choices=list(zoo.ARCHITECTURES))
    parser.add_argument("--data", required=True)
    parser.add_argument("--settings")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--held-out")
    parser.add_argument("--start")
    parser.add_argument("--log")
    parser.add_argument("--output")
    parser.add_argument("-b", "--batch-size", type=int)
    for name, kind in {"act": str, "opt": str, "lr": float, "weight-decay": float, "smoothing": float, "epochs": int, "seed": int, "threads": int}.items():
        parser.add_argument("--" + name, type=kind)
    parser.add_argument("--amp", action="store_true", default=None)
    return parser.parse_args()


def settings_of(options):
    given = {"seed": 0}
    if options.settings:
        with open(options.settings) as file:
            given = json.load(file)
    elif options.opt == "adamw":
        given.update({"lr": 2e-3, "weight-decay": 0.05})
    given.update({"arch": options.arch, "data": options.data})
    given.update((name, value_of(text)) for name, _, text in (item.partition("=") for item in options.set))
    for name in ("act", "opt", "lr", "weight-decay", "smoothing", "epochs", "seed", "threads", "batch-size", "amp"):
        value = getattr(options, name.replace("-", "_"))
        given.update({} if value is None else {name: value})
    if options.held_out:
        given["val-split"] = options.held_out
    return recipe.settle(given)


def main():
    options = parse()
    try:
        s = settings_of(options)
        training, held_out = images.read_split(options.data, s["val-split"], s["seed"], s["limit"])
    except (ValueError, OSError) as problem:
        sys.exit(f"train_pytorch.py: {problem}")
    if s["threads"]:
        torch.set_num_threads(s["threads"])
    net = None
    if options.start:
        net = recipe.build(s)
        load_start(net, options.start)
    run = Run(s, training, net)
    x, labels = run.normalised(held_out[0]), torch.from_numpy(held_out[1])
    log = open(options.log, "w") if options.log else None
    seconds = 0.0
    for epoch in range(s["epochs"]):
        begin = time.perf_counter()
        losses = list(run.train_epoch(epoch))
        trained = time.perf_counter()
        top1 = run.hits(x, labels)
        val_seconds = time.perf_counter() - trained
        seconds += trained - begin
        loss = sum(losses) / len(losses)
        print(f"{s['arch']} epoch {epoch + 1}/{s['epochs']} train loss {loss:.4f} test top1 {100 * top1:.2f}% training {seconds:.0f} s", flush=True)
        if log:
            print(json.dumps({"epoch": epoch + 1, "train_loss": loss, "val_top1": top1, "images_per_second": len(losses) * run.batch / (trained - begin),
                              "seconds": trained - begin, "val_seconds": val_seconds}), file=log, flush=True)
    if options.output:
        run.write(options.output)


if __name__ == "__main__":
    main()
