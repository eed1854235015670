"""Weights and images by a formula, so that C and PyTorch can make the same ones without storing them.

Element i (row-major, as in a checkpoint) of a tensor is

    float32(offset + amplitude u(name, i))       u(name, i) = (mix(FNV-1a64(name) + (i + 1) 0x9E3779B97F4A7C15) >> 40) 2^-23 - 1

in [-1, 1), with mix = random_mix of engine/random.h. Images are u(name, i) in N C H W order."""
import numpy as np
import torch

import zoo

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
CHUNK = 1 << 22


def fnv1a(text):
    key = 0xCBF29CE484222325
    for byte in text.encode():
        key = (key ^ byte) * 0x100000001B3 % 2**64
    return np.uint64(key)


def mix(x):
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def u(name, count):
    """count doubles in [-1, 1)."""
    values = np.empty(count)
    key = fnv1a(name)
    with np.errstate(over="ignore"):
        for begin in range(0, count, CHUNK):
            index = np.arange(begin + 1, min(begin + CHUNK, count) + 1, dtype=np.uint64)
            values[begin:begin + len(index)] = (mix(key + index * GOLDEN) >> np.uint64(40)) * 2.0**-23 - 1
    return values


def spread(name, tensor, last_linear):
    """(amplitude, offset): activations keep their size, and every term of every formula matters."""
    if name.endswith("running_mean"):
        return 0.1, 0.0
    if name.endswith("running_var"):
        return 0.2, 1.0
    if name.endswith("layer_scale"):
        return 0.1, 0.5
    if name.endswith("conv_expand.bias"):
        return 0.5, 2.0       # squeeze-excite gates near 0.9: at 0.5 each, sixteen of them would leave nothing
    if tensor.ndim > 1:
        fan_in = tensor[0].numel()
        return float(np.sqrt(3 * (1 if name == last_linear else 2) / fan_in)), 0.0
    return 0.1, 0.0 if name.endswith("bias") else 1.0


def tensors_of(net):
    """name -> tensor of everything but the counters, in the order of the state_dict."""
    return {name: t for name, t in net.state_dict(keep_vars=True).items() if t.is_floating_point()}


def fill(net, noise=0.0):
    """Sets every tensor; returns name -> (amplitude, offset). noise: how far each value may be off, relative to itself."""
    slopes = {f"{name}.weight" for name, module in net.named_modules() if isinstance(module, zoo.PReLU)}
    table = {}
    tensors = tensors_of(net)
    last_linear = [name for name, t in tensors.items() if t.ndim == 2][-1]
    for name, tensor in tensors.items():
        table[name] = (0.1, 0.25) if name in slopes else spread(name, tensor, last_linear)
        amplitude, offset = table[name]
        values = (offset + amplitude * u(name, tensor.numel())).astype(np.float32)
        if noise:
            values *= (1 + noise * u(name + ".noise", values.size)).astype(np.float32)
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(values).view(tensor.shape))
    for name, counter in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            counter.zero_()
    return table
