"""Writes ../golden/augmentations.json: what PIL makes of two small pictures, for tests/test_canvas.c.

usage: make_augment_golden.py        (a second; needs PIL and numpy)

The pictures are not stored, picture() makes them as the test does. Each case is a name and the bytes of its planes, channel
after channel, as hexadecimal digits. "blur" is a Gaussian in double precision, for PIL's own is made of box filters."""
import json
import math
import os

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

SIZES = ((9, 13), (23, 31))              # the larger one for what a histogram decides
MEAN = (120, 95, 70)


def picture(height, width, channels):
    values = np.zeros((height, width, channels), np.uint8)
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                values[y, x, c] = (30 + 9 * x + 5 * y * (c + 1) + (x * y * 7 + c * 31) % 23 * 3 + 40 * ((x // 5 + y // 4) % 2)) % 240
    return Image.fromarray(values[:, :, 0] if channels == 1 else values)


def affine(image, matrix, fill):
    return image.transform(image.size, Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR, fillcolor=fill)


def hue(image, turn):
    h, s, v = image.convert("HSV").split()
    turned = (np.array(h, np.int64) + int(turn * 255)) % 256
    return Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), s, v)).convert("RGB")


def blur(image, deviation):
    radius = math.ceil(3 * deviation)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2)
    weights /= weights.sum()
    values = np.asarray(image, np.float64)
    for axis in (0, 1):
        padded = np.pad(values, [(radius, radius) if a == axis else (0, 0) for a in range(values.ndim)], mode="reflect")
        values = sum(w * np.take(padded, np.arange(values.shape[axis]) + k, axis) for k, w in enumerate(weights))
    return Image.fromarray(np.rint(values).astype(np.uint8))


def solarize_add(image, add):
    return image.point([min(255, i + add) if i < 128 else i for i in range(256)] * len(image.getbands()))


def cases(image, fill):
    width, height = image.size
    for degrees in (17, -30, 90, 135):
        yield f"rotate {degrees}", image.rotate(degrees, resample=Image.Resampling.BILINEAR, fillcolor=fill)
    for across, down in ((0.3, 0), (-0.3, 0), (0, 0.25), (0, -0.99)):
        yield f"shear {across:g} {down:g}", affine(image, (1, across, 0, down, 1, 0), fill)
    for down, right in ((2, -3), (1.25, 4.5), (-9, 0)):
        yield f"translate {down:g} {right:g}", affine(image, (1, 0, -right, 0, 1, -down), fill)
    for y, x, h, w in ((2, 3, 5, 7), (0, 0, 9, 4), (8, 12, 1, 1), (0, 0, height, width)):
        yield f"enlarge {y} {x} {h} {w}", image.crop((x, y, x + w, y + h)).resize((width, height), Image.Resampling.BILINEAR)
    yield "mirror", ImageOps.mirror(image)
    yield "turn over", ImageOps.flip(image)
    for factor in (0, 0.1, 0.55, 1, 1.45, 1.9):
        yield f"brightness {factor:g}", ImageEnhance.Brightness(image).enhance(factor)
        yield f"contrast {factor:g}", ImageEnhance.Contrast(image).enhance(factor)
        yield f"sharpness {factor:g}", ImageEnhance.Sharpness(image).enhance(factor)
        if len(image.getbands()) == 3:
            yield f"saturation {factor:g}", ImageEnhance.Color(image).enhance(factor)
    if len(image.getbands()) == 3:
        for turn in (0.1, 0.5, -0.25, -0.07):
            yield f"hue {turn:g}", hue(image, turn)
        yield "grey", image.convert("L").convert("RGB")
    yield "invert", ImageOps.invert(image)
    for bits in (0, 1, 3, 4):      # PIL itself takes 1 to 8 bits; timm's RandAugment goes down to none
        yield f"posterize {bits}", ImageOps.posterize(image, bits)
    for threshold in (0, 26, 128, 230, 256):
        yield f"solarize {threshold}", ImageOps.solarize(image, threshold)
    for add in (0, 50, 110):
        yield f"solarize_add {add}", solarize_add(image, add)
    yield "autocontrast", ImageOps.autocontrast(image)
    for deviation in (0.4, 1, 2.5):
        yield f"blur {deviation:g}", blur(image, deviation)


def planes(image):
    values = np.asarray(image)
    return values.reshape(*values.shape[:2], -1).transpose(2, 0, 1).tobytes().hex()


def main():
    golden = {}
    for kind, channels, fill in (("colour", 3, MEAN), ("grey", 1, MEAN[0])):
        for name, result in cases(picture(*SIZES[0], channels), fill):
            golden[f"{kind}: {name}"] = planes(result)
        golden[f"{kind}: equalize"] = planes(ImageOps.equalize(picture(*SIZES[1], channels)))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "augmentations.json")
    with open(path, "w") as file:
        json.dump(golden, file, indent=0)
        file.write("\n")


main()
