"""Writes ../golden/resizes.json: what PIL makes of a picture at other sizes, for tests/test_resize.c.

usage: make_resize_golden.py        (a second; needs PIL and numpy)

The picture is not stored, picture() makes it as the test does. A case is its size, the wanted size, the crop and the filter, and the
planes that come of it as hexadecimal digits. "pad" is timm's border: the whole picture in the middle of a grey frame. With a crop_pct the picture is scaled for a size of
floor(wanted / crop_pct), as timm's transforms_imagenet_eval does, and the middle of the wanted size cut out."""
import json
import math
import os

import numpy as np
from PIL import Image

GREY = 128
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
SIZES = ((9, 9, 4, 4), (5, 7, 11, 11), (40, 13, 6, 6), (8, 21, 8, 8), (17, 23, 12, 20), (3, 40, 10, 10), (12, 11, 30, 7))


def picture(height, width):
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return Image.fromarray(((37 * y + 53 * x + 89 * c + 11) % 256).astype(np.uint8))


def middle(image, height, width):
    """The middle of the image, or the image in the middle of a grey frame, each side by itself."""
    left, top = (round((have - want) / 2) if have >= want else -((want - have) // 2) for have, want in ((image.width, width), (image.height, height)))
    frame = Image.new("RGB", (width, height), (GREY,) * 3)
    frame.paste(image, (-left, -top))
    return frame


def fit(image, height, width, crop, kind, crop_pct):
    tall, wide = math.floor(height / crop_pct), math.floor(width / crop_pct)
    by_height = tall / image.height, wide / image.width
    if crop == "squash":
        size = wide, tall
    elif crop == "centre":
        size = (max(wide, image.width * tall // image.height), tall) if by_height[0] >= by_height[1] else (wide, max(tall, image.height * wide // image.width))
    else:
        size = (max(1, round(image.width * by_height[0])), tall) if by_height[0] < by_height[1] else (wide, max(1, round(image.height * by_height[1])))
    return middle(image.resize(size, kind), height, width)


cases = [{"height": h, "width": w, "wanted_height": oh, "wanted_width": ow, "crop": crop, "filter": name, **({"crop_pct": pct} if pct < 1 else {}),
          "planes": np.asarray(fit(picture(h, w), oh, ow, crop, kind, pct)).transpose(2, 0, 1).tobytes().hex()}
         for h, w, oh, ow in SIZES for crop in ("centre", "pad", "squash") for name, kind in FILTERS.items() for pct in (1, 0.875, 0.8)
         if pct == 1 or (oh, ow) in ((11, 11), (8, 8), (12, 20))]
with open(os.path.join(os.path.dirname(__file__), "..", "golden", "resizes.json"), "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
