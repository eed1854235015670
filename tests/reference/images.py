"""CIFAR-10's binary parts as the trainer takes them: the same training images, the same mean and deviation, and the same order of the samples in
every epoch (engine/random.h, datasets/split.c and datasets/order.c in Python)."""
import glob
import os

import numpy as np

RECORD = 1 + 3 * 32 * 32
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
SPLIT, SHUFFLE = 1, 2                      # purposes of a stream
LIMIT = 1                                  # of the choices from a seed

# ---- random numbers ---------------------------------------------------------------------------------------------


def mix(x):
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def stream(seed, epoch, sample, purpose):
    """The state of a stream of random numbers."""
    with np.errstate(over="ignore"):
        state = mix(np.uint64(seed) + GOLDEN)
        state = mix(state ^ (np.uint64(epoch) + np.uint64(0xD1B54A32D192ED03)))
        state = mix(state ^ (np.uint64(sample) + np.uint64(0x8CB92BA72F3D8DD7)))
        return mix(state ^ (np.uint64(purpose) + np.uint64(0xABC98388FB8FAC03)))


def permutation(state, count):
    """Fisher and Yates."""
    with np.errstate(over="ignore"):
        drawn = mix(state + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN) >> np.uint64(32)
        places = (drawn * np.arange(1, count + 1, dtype=np.uint64)) >> np.uint64(32)
    order = [0] * count
    for i, j in enumerate(places.tolist()):
        order[i] = order[j]
        order[j] = i
    return np.array(order)


def epoch_order(seed, epoch, count):
    return permutation(stream(seed, epoch, 0, SHUFFLE), count)


def limited(labels, seed, k):
    """Which k of the images --limit k takes: of every class its share."""
    count = len(labels)
    order = permutation(stream(seed, 0, LIMIT, SPLIT), count)
    by_class = order[np.argsort(labels[order], kind="stable")]
    i = np.arange(count, dtype=np.int64)
    return np.sort(by_class[(i + 1) * k // count > i * k // count])


# ---- files ------------------------------------------------------------------------------------------------------


def read_part(path):
    """Bytes, N C H W, and labels."""
    records = np.fromfile(path, np.uint8).reshape(-1, RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def read_parts(paths, seed, limit):
    images, labels = (np.concatenate(arrays) for arrays in zip(*map(read_part, paths)))
    if limit and limit < len(labels):
        chosen = limited(labels, seed, limit)
        images, labels = images[chosen], labels[chosen]
    return images, labels


def read_split(folder, held_out, seed=42, limit=0):
    """(training images, labels), (held-out images, labels): held_out is a part's name, such as data_batch_5."""
    parts = sorted(glob.glob(os.path.join(folder, "data_batch_*.bin")))
    held = [path for path in parts if os.path.basename(path) == held_out + ".bin"]
    if not held:
        raise ValueError(f"no part '{held_out}' to hold out: {folder}: use one of its files data_batch_1 to data_batch_5")
    return read_parts([path for path in parts if path not in held], seed, limit), read_parts(held, seed, limit)


def statistics(images):
    """Mean and deviation of each channel, for values from 0 to 1."""
    values = images.transpose(1, 0, 2, 3).reshape(3, -1)
    mean = values.mean(axis=1, dtype=np.float64)
    variance = np.array([np.square(v, dtype=np.float64).mean() for v in values]) - mean**2
    return (mean / 255).astype(np.float32), (np.sqrt(variance) / 255).astype(np.float32)


def normalise(images, mean, std):
    return (images.astype(np.float32) / 255 - mean.reshape(1, -1, 1, 1)) / std.reshape(1, -1, 1, 1)
