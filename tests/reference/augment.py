"""The trainer's augmentation in PyTorch: the same steps with random numbers of its own. Images are normalised, N C H W, so that 0 is the mean."""
import math

import numpy as np
import torch
import torch.nn.functional as F

PADS = {"mean": "constant", "constant": "constant", "reflect": "reflect", "edge": "replicate"}


def crop(images, pad, mode):
    n, channels, height, width = images.shape
    padded = F.pad(images, (pad,) * 4, mode=PADS[mode])
    device = images.device
    rows = torch.randint(2 * pad + 1, (n, 1), device=device) + torch.arange(height, device=device)
    columns = torch.randint(2 * pad + 1, (n, 1), device=device) + torch.arange(width, device=device)
    sample = torch.arange(n, device=device).view(n, 1, 1)
    return padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def triangle(full, side):
    """Weights of `full` pixels in each of `side` that they are reduced to."""
    width = max(full / side, 1)
    centres = (np.arange(side)[:, None] + 0.5) * full / side
    weights = np.clip(1 - np.abs((np.arange(full) + 0.5 - centres) / width), 0, None)
    return weights / weights.sum(axis=1, keepdims=True)


def resized(images, side):
    """Square images, bytes, N C H W, at another side, as datasets/resize.c has them: rows first, whole levels after each direction."""
    weights = triangle(images.shape[-1], side)
    parts = []
    for part in np.array_split(images, len(images) // 1000 + 1):
        rows = np.floor(part @ weights.T + 0.5)
        parts.append(np.floor(weights @ rows + 0.5).astype(np.uint8))
    return np.concatenate(parts)


def pixels(count, scale):
    return max(1, int(count * scale + 0.5))


def mirror(images, chosen):
    return torch.where(chosen.view(-1, 1, 1, 1), images.flip(3), images)


def boxes(images, y, x, height, width):
    """A mask of the pixels in each image's box."""
    rows = torch.arange(images.shape[2]).view(1, -1, 1)
    columns = torch.arange(images.shape[3]).view(1, 1, -1)
    y, x, height, width = (v.view(-1, 1, 1) for v in (y, x, height, width))
    return ((rows >= y) & (rows < y + height) & (columns >= x) & (columns < x + width)).unsqueeze(1)


def cutout(images, side):
    n, _, height, width = images.shape
    y, x, sides = torch.randint(height, (n,)), torch.randint(width, (n,)), torch.full((n,), side)
    return images.masked_fill(boxes(images, y - side // 2, x - side // 2, sides, sides), 0)


def erase(images, rate, least=0.02, most=0.33):
    """One box with the mean in so large a share of the images."""
    n, _, height, width = images.shape
    tall, broad = torch.zeros(n, dtype=torch.long), torch.zeros(n, dtype=torch.long)
    missing = torch.rand(n) < rate
    for _ in range(10):
        area = (least + (most - least) * torch.rand(n)) * height * width
        ratio = torch.exp(math.log(1 / 0.3) * (2 * torch.rand(n) - 1))
        h, w = torch.sqrt(area * ratio).round().long(), torch.sqrt(area / ratio).round().long()
        fits = missing & (h < height) & (w < width)
        tall, broad = torch.where(fits, h, tall), torch.where(fits, w, broad)
        missing &= ~fits
    y = (torch.rand(n) * (height - tall + 1)).long()
    x = (torch.rand(n) * (width - broad + 1)).long()
    return images.masked_fill(boxes(images, y, x, tall, broad), 0)


def mix(images, kind, alpha):
    """Images in pairs with the batch turned round; (images, the share that each keeps of itself)."""
    share = torch.distributions.Beta(alpha, alpha).sample().item()
    others = images.flip(0)
    if kind == "mixup":
        return share * images + (1 - share) * others, share
    height, width = images.shape[2:]
    side = math.sqrt(1 - share)
    h, w = int(height * side), int(width * side)
    y, x = torch.randint(height, ()).item() - h // 2, torch.randint(width, ()).item() - w // 2
    top, left, bottom, right = max(y, 0), max(x, 0), min(y + h, height), min(x + w, width)
    mixed = images.clone()
    if bottom > top and right > left:
        mixed[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    return mixed, 1 - max(bottom - top, 0) * max(right - left, 0) / (height * width)


class Augmentation:
    """What the settings ask for. One object for a run: alternating flips remember how an image began."""

    def __init__(self, settings, count):
        self.settings, self.off = settings, settings["aug"] is False
        self.first = torch.rand(count) < 0.5

    def images(self, images, chosen, epoch, scale=1):
        """chosen: the images' places in the data set. scale: their side, by the full one; what is counted in pixels follows it."""
        s = self.settings
        if self.off:
            return images
        if s["crop-pad"]:
            images = crop(images, pixels(s["crop-pad"], scale), s["pad-mode"])
        if s["hflip"] in ("alternating", "auto-alternating"):
            images = mirror(images, self.first[chosen] ^ (epoch % 2 == 1))
        elif s["hflip"] in ("auto", "on"):
            images = mirror(images, torch.rand(len(images)) < 0.5)
        if s["reprob"]:
            images = erase(images, s["reprob"])
        if s["cutout-size"]:
            images = cutout(images, pixels(int(s["cutout-size"]), scale))
        return images

    def mixed(self, images, epoch):
        """(images, the share of its own label that each has)"""
        s = self.settings
        kinds = [kind for kind in ("mixup", "cutmix") if s[kind] and not self.off and (not s["mixup-off-epoch"] or epoch < s["mixup-off-epoch"])]
        if not kinds:
            return images, 1.0
        kind = kinds[torch.randint(len(kinds), ()).item()]
        return mix(images, kind, s[kind]) if torch.rand(()).item() < s["mixup-prob"] else (images, 1.0)
