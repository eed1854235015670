"""Writes ../golden/resizes.json: what PIL makes of a picture at other sizes, for tests/test_resize.c.

usage: make_resize_golden.py        (a second; needs PIL and numpy)

The picture is not stored, picture() makes it as the test does. A case is its size, the wanted size, the crop and the filter, and the
planes that come of it as hexadecimal digits. "pad" is timm's border: the whole picture in the middle of a grey frame."""
import json
import os

import numpy as np
from PIL import Image

GREY = 128
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
SIZES = ((9, 9, 4, 4), (5, 7, 11, 11), (40, 13, 6, 6), (8, 21, 8, 8), (17, 23, 12, 20), (3, 40, 10, 10), (12, 11, 30, 7))


def picture(height, width):
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return Image.fromarray(((37 * y + 53 * x + 89 * c + 11) % 256).astype(np.uint8))


def fit(image, height, width, crop, kind):
    if crop == "squash":
        return image.resize((width, height), kind)
    tall, wide = height / image.height, width / image.width
    if crop == "centre":
        size = (max(width, image.width * height // image.height), height) if tall >= wide else (width, max(height, image.height * width // image.width))
        left, top = round((size[0] - width) / 2), round((size[1] - height) / 2)
        return image.resize(size, kind).crop((left, top, left + width, top + height))
    size = (max(1, round(image.width * tall)), height) if tall < wide else (width, max(1, round(image.height * wide)))
    frame = Image.new("RGB", (width, height), (GREY,) * 3)
    frame.paste(image.resize(size, kind), ((width - size[0]) // 2, (height - size[1]) // 2))
    return frame


cases = [{"height": h, "width": w, "wanted_height": oh, "wanted_width": ow, "crop": crop, "filter": name,
          "planes": np.asarray(fit(picture(h, w), oh, ow, crop, kind)).transpose(2, 0, 1).tobytes().hex()}
         for h, w, oh, ow in SIZES for crop in ("centre", "pad", "squash") for name, kind in FILTERS.items()]
with open(os.path.join(os.path.dirname(__file__), "..", "golden", "resizes.json"), "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
