"""The training recipe in PyTorch, to compare accuracy and time on the same images.

usage: train_pytorch.py ARCH --data FOLDER [--act NAME] [--opt sgd|adamw] [--lr F] [--weight-decay F] [--smoothing F]
                        [--epochs N] [-b N] [--train PART,...] [--test PART,...] [--amp] [--seed N] [--threads N] [--output FILE]

FOLDER holds CIFAR-10's binary parts. Recipe: normalisation by channel; crops after padding by 4 and horizontal flips;
learning rate up linearly over a tenth of the steps, then down by cosine to 0; cross-entropy; SGD with Nesterov
momentum (lr 0.1, weight decay 5e-4) or AdamW (lr 0.002, 0.05); decay on convolution and linear weights alone.
One line an epoch. --output writes a checkpoint that `evaluate` and `predict` read."""
import argparse
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

import safetensors
import zoo

CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
RECORD = 1 + 3 * 32 * 32
PAD = 4


def load_parts(folder, parts):
    """Normalised images, N C H W, and labels."""
    files = [np.fromfile(os.path.join(folder, part + ".bin"), np.uint8).reshape(-1, RECORD) for part in parts.split(",")]
    records = np.concatenate(files)
    images = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (images - mean) / std, torch.from_numpy(records[:, 0].astype(np.int64))


def augment(images):
    """A random crop of each padded image, half of them mirrored."""
    n, _, height, width = images.shape
    padded = F.pad(images, (PAD,) * 4)
    rows = torch.randint(2 * PAD + 1, (n, 1)) + torch.arange(height)
    columns = torch.randint(2 * PAD + 1, (n, 1)) + torch.arange(width)
    columns = torch.where(torch.rand(n, 1) < 0.5, columns.flip(1), columns)
    sample = torch.arange(n).view(n, 1, 1)
    return padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def learning_rate(top, step, steps):
    warmup = max(1, steps // 10)
    if step < warmup:
        return top * (step + 1) / warmup
    return top * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))) / 2


def make_optimizer(net, options):
    decayed = [p for name, p in net.named_parameters() if p.ndim > 1 and not name.endswith("layer_scale")]
    others = [p for name, p in net.named_parameters() if p.ndim == 1 or name.endswith("layer_scale")]
    defaults = {"sgd": (0.1, 5e-4), "adamw": (2e-3, 0.05)}[options.opt]
    lr = defaults[0] if options.lr is None else options.lr
    decay = defaults[1] if options.weight_decay is None else options.weight_decay
    groups = [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    if options.opt == "adamw":
        return torch.optim.AdamW(groups, lr), lr
    return torch.optim.SGD(groups, lr, momentum=0.9, nesterov=True), lr


def evaluate(net, images, labels):
    net.eval()
    with torch.no_grad():
        hits = sum((net(x).argmax(1) == y).sum().item() for x, y in zip(images.split(250), labels.split(250)))
    return hits / len(labels)


def write_checkpoint(path, net, options):
    metadata = {"format": "pt", "arch": options.arch, "act": options.act or zoo.ARCHITECTURES[options.arch][0],
                "classes": json.dumps(CLASSES), "mean": json.dumps(MEAN), "std": json.dumps(STD), "img_size": "32", "in_chans": "3"}
    safetensors.save(path, {name: t.numpy() for name, t in net.state_dict().items()}, metadata)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("arch", choices=list(zoo.ARCHITECTURES))
    parser.add_argument("--data", required=True)
    parser.add_argument("--act")
    parser.add_argument("--opt", choices=["sgd", "adamw"], default="sgd")
    parser.add_argument("--lr", type=float)
    parser.add_argument("--weight-decay", type=float)
    parser.add_argument("--smoothing", type=float, default=0.0)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("-b", "--batch", type=int, default=128)
    parser.add_argument("--train", default="data_batch_1,data_batch_2,data_batch_3,data_batch_4")
    parser.add_argument("--test", default="data_batch_5")
    parser.add_argument("--amp", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--output")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)

    images, labels = load_parts(options.data, options.train)
    test_images, test_labels = load_parts(options.data, options.test)
    net = zoo.build(options.arch, options.act).to(memory_format=torch.channels_last)
    optimizer, top = make_optimizer(net, options)
    batches = len(images) // options.batch
    step, training_time = 0, 0.0
    for epoch in range(options.epochs):
        begin, loss_sum = time.perf_counter(), 0.0
        net.train()
        order = torch.randperm(len(images))
        for chosen in order[:batches * options.batch].split(options.batch):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(top, step, batches * options.epochs)
            x = augment(images[chosen]).contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=options.amp):
                loss = F.cross_entropy(net(x), labels[chosen], label_smoothing=options.smoothing)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item()
            step += 1
        training_time += time.perf_counter() - begin
        print(f"{options.arch} epoch {epoch + 1}/{options.epochs} train loss {loss_sum / batches:.4f} "
              f"test top1 {100 * evaluate(net, test_images, test_labels):.2f}% training {training_time:.0f} s", flush=True)
    if options.output:
        write_checkpoint(options.output, net, options)


if __name__ == "__main__":
    main()
