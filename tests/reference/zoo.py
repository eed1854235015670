"""The zoo's architectures in PyTorch: what the C networks are compared with.

Same layers, shapes and state_dict keys on both sides, so that weights written by one load in the other (strict) and
give the same logits. Keys are torchvision's (alexnet, vgg16_bn, resnet18, convnext_*) and timm's (efficientnet_lite0 and
tf_efficientnet_lite0), so that published weights load too.

A side of at most SMALL_SIDE takes the small-image stem, a larger one the published stem. Every activation of a body
comes from one factory and can be swapped for the whole network; the output layer has none.

    net = build("resnet18", act="silu", classes=10, channels=3, side=32)
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

SMALL_SIDE = 64

# ---- activations ------------------------------------------------------------------------------------------------


class GELUTanh(nn.Module):
    """0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))"""

    def forward(self, x):
        return F.gelu(x, approximate="tanh")


class PReLU(nn.Module):
    """x > 0 ? x : weight[c] x, with the channels in the last dimension or, as usual, in the second one."""

    def __init__(self, channels, start, channels_last):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), start))
        self.channels_last = channels_last

    def forward(self, x):
        slope = self.weight if self.channels_last else self.weight.view(-1, *[1] * (x.dim() - 2))
        return torch.where(x > 0, x, slope * x)


# name: (default parameter or None, parameter -> module). prelu is made in `activation`: it needs the channels.
ACTIVATIONS = {
    "identity": (None, lambda p: nn.Identity()),
    "relu": (None, lambda p: nn.ReLU()),
    "relu6": (None, lambda p: nn.ReLU6()),
    "leaky_relu": (0.01, nn.LeakyReLU),
    "prelu": (0.25, None),
    "elu": (1.0, nn.ELU),
    "celu": (1.0, nn.CELU),
    "selu": (None, lambda p: nn.SELU()),
    "sigmoid": (None, lambda p: nn.Sigmoid()),
    "tanh": (None, lambda p: nn.Tanh()),
    "silu": (None, lambda p: nn.SiLU()),
    "gelu": (None, lambda p: nn.GELU()),
    "gelu_tanh": (None, lambda p: GELUTanh()),
    "mish": (None, lambda p: nn.Mish()),
    "hardswish": (None, lambda p: nn.Hardswish()),
    "hardsigmoid": (None, lambda p: nn.Hardsigmoid()),
    "softplus": (None, lambda p: nn.Softplus(threshold=50)),    # 20 would return x where f differs from it by 2e-9
    "softsign": (None, lambda p: nn.Softsign()),
}


def activation(text):
    """A factory channels -> module for "NAME" or "NAME:PARAMETER"."""
    name, _, parameter = text.partition(":")
    default, make = ACTIVATIONS[name]
    value = float(parameter) if parameter else default
    if name == "prelu":
        return lambda channels, channels_last=False: PReLU(channels, value, channels_last)
    return lambda channels, channels_last=False: make(value)


# ---- shared pieces ----------------------------------------------------------------------------------------------


def conv(cin, cout, kernel, stride=1, bias=False, groups=1):
    """Odd kernels, padded so that stride 1 keeps the size."""
    return nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=bias)


class SameConv2d(nn.Conv2d):
    """TensorFlow's padding "SAME": as much as ceil(side / stride) outputs need, an odd pixel of it right and below."""

    def forward(self, x):
        pads = []
        for axis in (3, 2):
            side, stride, kernel = x.shape[axis], self.stride[axis - 2], self.kernel_size[axis - 2]
            total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


def same_conv(cin, cout, kernel, stride=1, bias=False, groups=1):
    return SameConv2d(cin, cout, kernel, stride, groups=groups, bias=bias)


def conv_norm_act(cin, cout, act, bias=False):
    return [conv(cin, cout, 3, bias=bias), nn.BatchNorm2d(cout), act(cout)]


def spatial_mean(x):
    return x.mean((2, 3))


class Plain(nn.Module):
    """Convolutions, an average pool where there is one, and a classifier over the flattened rest."""

    def __init__(self, features, classifier, avgpool=None):
        super().__init__()
        self.features = nn.Sequential(*features)
        self.avgpool = avgpool or nn.Identity()
        self.classifier = nn.Sequential(*classifier)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


# ---- networks without branches ----------------------------------------------------------------------------------


def baseline(act, classes, channels, side, drop):
    features = [*conv_norm_act(channels, 32, act), *conv_norm_act(32, 64, act), nn.MaxPool2d(2), drop(0.15),
                *conv_norm_act(64, 128, act), nn.MaxPool2d(2), drop(0.25)]
    inputs = 128 * (side // 4) ** 2
    return Plain(features, [nn.Flatten(), nn.Linear(inputs, 256), act(256), drop(0.5), nn.Linear(256, classes)])


def lenet(act, classes, channels, side, drop):
    """LeCun et al., 1998. MNIST's 28 pixels are padded to the 32 that the network was made for."""
    pad = 2 if side == 28 else 0
    end = ((side + 2 * pad - 4) // 2 - 4) // 2
    features = [nn.Conv2d(channels, 6, 5, padding=pad), act(6), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), act(16), nn.AvgPool2d(2)]
    classifier = [nn.Flatten(), nn.Linear(16 * end * end, 120), act(120), nn.Linear(120, 84), act(84), nn.Linear(84, classes)]
    return Plain(features, classifier)


def mlp(act, classes, channels, side, drop, depth=2, width=256):
    """Rumelhart et al., 1986: linear layers and activations alone. An identity stands where dropout may."""
    inputs = [channels * side * side] + [width] * (depth - 1)
    hidden = [layer for count in inputs for layer in (nn.Linear(count, width), act(width), nn.Identity())]
    return Plain([], [nn.Flatten(), *hidden, nn.Linear(width, classes)])


def alexnet(act, classes, channels, side, drop):
    """Krizhevsky, 2014, arXiv:1404.5997, as torchvision has it; small images: 3x3 kernels and batch norm."""
    if side <= SMALL_SIDE:
        widths = [channels, 64, "pool", 192, "pool", 384, 256, 256, "pool"]
        features, last = [], widths[0]
        for width in widths[1:]:
            features += [nn.MaxPool2d(2)] if width == "pool" else conv_norm_act(last, width, act)
            last = last if width == "pool" else width
        inputs = 256 * (side // 8) ** 2
        return Plain(features, [nn.Flatten(), nn.Linear(inputs, 1024), act(1024), drop(0.5),
                                nn.Linear(1024, 512), act(512), drop(0.5), nn.Linear(512, classes)])
    features = [nn.Conv2d(channels, 64, 11, 4, 2), act(64), nn.MaxPool2d(3, 2),
                conv(64, 192, 5, bias=True), act(192), nn.MaxPool2d(3, 2),
                conv(192, 384, 3, bias=True), act(384), conv(384, 256, 3, bias=True), act(256),
                conv(256, 256, 3, bias=True), act(256), nn.MaxPool2d(3, 2)]
    classifier = [drop(0.5), nn.Linear(256 * 6 * 6, 4096), act(4096), drop(0.5), nn.Linear(4096, 4096), act(4096),
                  nn.Linear(4096, classes)]
    return Plain(features, classifier, nn.AdaptiveAvgPool2d(6))


def vgg16(act, classes, channels, side, drop):
    """Simonyan and Zisserman, 2014, arXiv:1409.1556, with batch norm; small images end in 1x1 instead of 7x7 cells."""
    features, last = [], channels
    for width, repeats in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
        for _ in range(repeats):
            features += conv_norm_act(last, width, act, bias=True)
            last = width
        features.append(nn.MaxPool2d(2))
    cells = 1 if side <= SMALL_SIDE else 7
    classifier = [nn.Linear(512 * cells * cells, 4096), act(4096), drop(0.5), nn.Linear(4096, 4096), act(4096), drop(0.5),
                  nn.Linear(4096, classes)]
    return Plain(features, classifier, nn.AdaptiveAvgPool2d(cells))


# ---- ResNet -----------------------------------------------------------------------------------------------------


class BasicBlock(nn.Module):
    def __init__(self, act, cin, cout, stride):
        super().__init__()
        self.conv1, self.bn1, self.act1 = conv(cin, cout, 3, stride), nn.BatchNorm2d(cout), act(cout)
        self.conv2, self.bn2, self.act2 = conv(cout, cout, 3), nn.BatchNorm2d(cout), act(cout)
        changes = stride > 1 or cin != cout
        self.downsample = nn.Sequential(conv(cin, cout, 1, stride), nn.BatchNorm2d(cout)) if changes else nn.Identity()

    def forward(self, x):
        y = self.act1(self.bn1(self.conv1(x)))
        return self.act2(self.bn2(self.conv2(y)) + self.downsample(x))


class ResNet18(nn.Module):
    """He et al., 2015, arXiv:1512.03385; small images: 3x3 stem of stride 1, no max pool."""
    WIDTHS = (64, 128, 256, 512)

    def __init__(self, act, classes, channels, side, drop):
        super().__init__()
        small = side <= SMALL_SIDE
        self.conv1 = conv(channels, 64, 3) if small else conv(channels, 64, 7, 2)
        self.bn1, self.act = nn.BatchNorm2d(64), act(64)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, 2, 1)
        last = 64
        for index, width in enumerate(self.WIDTHS, 1):
            blocks = BasicBlock(act, last, width, 1 if index == 1 else 2), BasicBlock(act, width, width, 1)
            self.add_module(f"layer{index}", nn.Sequential(*blocks))
            last = width
        self.fc = nn.Linear(last, classes)

    def forward(self, x):
        x = self.maxpool(self.act(self.bn1(self.conv1(x))))
        for index in range(1, len(self.WIDTHS) + 1):
            x = getattr(self, f"layer{index}")(x)
        return self.fc(spatial_mean(x))


# ---- EfficientNet-Lite ------------------------------------------------------------------------------------------


class SqueezeExcite(nn.Module):
    """Hu et al., 2017, arXiv:1709.01507"""

    def __init__(self, act, channels, reduced):
        super().__init__()
        self.conv_reduce = conv(channels, reduced, 1, bias=True)
        self.act1 = act(reduced)
        self.conv_expand = conv(reduced, channels, 1, bias=True)

    def forward(self, x):
        gate = self.conv_expand(self.act1(self.conv_reduce(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(gate)


class SeparableBlock(nn.Module):
    """Depthwise, then pointwise; the body's first block."""

    def __init__(self, net, act, cin, cout, kernel, stride, squeeze):
        super().__init__()
        self.conv_dw, self.bn1, self.act1 = net.conv(cin, cin, kernel, stride, groups=cin), net.norm(cin), act(cin)
        self.se = SqueezeExcite(act, cin, cin // 4) if squeeze else nn.Identity()
        self.conv_pw, self.bn2 = conv(cin, cout, 1), net.norm(cout)
        self.residual = stride == 1 and cin == cout

    def forward(self, x):
        y = self.se(self.act1(self.bn1(self.conv_dw(x))))
        y = self.bn2(self.conv_pw(y))
        return x + y if self.residual else y


class InvertedResidual(nn.Module):
    """Expand 6 times, depthwise, project.   Sandler et al., 2018, arXiv:1801.04381"""

    def __init__(self, net, act, cin, cout, kernel, stride, squeeze):
        super().__init__()
        wide = 6 * cin
        self.conv_pw, self.bn1, self.act1 = conv(cin, wide, 1), net.norm(wide), act(wide)
        self.conv_dw, self.bn2 = net.conv(wide, wide, kernel, stride, groups=wide), net.norm(wide)
        self.act2 = act(wide)
        self.se = SqueezeExcite(act, wide, cin // 4) if squeeze else nn.Identity()
        self.conv_pwl, self.bn3 = conv(wide, cout, 1), net.norm(cout)
        self.residual = stride == 1 and cin == cout

    def forward(self, x):
        y = self.act1(self.bn1(self.conv_pw(x)))
        y = self.se(self.act2(self.bn2(self.conv_dw(y))))
        y = self.bn3(self.conv_pwl(y))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """Tan and Le, 2019, arXiv:1905.11946, the Lite variant: no squeeze-excite unless asked for. Symmetric padding."""
    #         width repeats kernel stride
    conv, norm = staticmethod(conv), nn.BatchNorm2d
    STAGES = [(16, 1, 3, 1), (24, 2, 3, 2), (40, 2, 5, 2), (80, 3, 3, 2), (112, 3, 5, 1), (192, 4, 5, 2), (320, 1, 3, 1)]

    def __init__(self, act, classes, channels, side, drop, squeeze=False):
        super().__init__()
        self.conv_stem = self.conv(channels, 32, 3, 1 if side <= SMALL_SIDE else 2)
        self.bn1, self.act1 = self.norm(32), act(32)
        self.blocks = nn.Sequential()
        last = 32
        for index, (width, repeats, kernel, stride) in enumerate(self.STAGES):
            block = InvertedResidual if index else SeparableBlock
            stage = nn.Sequential()
            for repeat in range(repeats):
                stage.append(block(self, act, last, width, kernel, 1 if repeat else stride, squeeze))
                last = width
            self.blocks.append(stage)
        self.conv_head, self.bn2, self.act2 = conv(last, 1280, 1), self.norm(1280), act(1280)
        self.classifier = nn.Linear(1280, classes)

    def forward(self, x):
        x = self.blocks(self.act1(self.bn1(self.conv_stem(x))))
        return self.classifier(spatial_mean(self.act2(self.bn2(self.conv_head(x)))))


class TFEfficientNetLite0(EfficientNetLite0):
    """As Google published it, and timm's tf_efficientnet_lite0."""
    conv = staticmethod(same_conv)

    @staticmethod
    def norm(channels):
        return nn.BatchNorm2d(channels, eps=1e-3)


# ---- ConvNeXt ---------------------------------------------------------------------------------------------------


def to_last(x):
    return x.permute(0, 2, 3, 1)


def to_second(x):
    return x.permute(0, 3, 1, 2)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel, N C H W."""

    def __init__(self, channels):
        super().__init__(channels, eps=1e-6)

    def forward(self, x):
        return to_second(super().forward(to_last(x)))


class ConvNeXtBlock(nn.Module):
    def __init__(self, act, width):
        super().__init__()
        self.layer_scale = nn.Parameter(torch.full((width, 1, 1), 1e-6))
        self.block = nn.ModuleDict({
            "0": conv(width, width, 7, bias=True, groups=width),
            "2": nn.LayerNorm(width, eps=1e-6),
            "3": nn.Linear(width, 4 * width),
            "4": act(4 * width, channels_last=True),
            "5": nn.Linear(4 * width, width),
        })

    def forward(self, x):
        y = to_last(self.block["0"](x))
        for key in "2345":
            y = self.block[key](y)
        return x + self.layer_scale * to_second(y)


class ConvNeXt(nn.Module):
    """Liu et al., 2022, arXiv:2201.03545, without stochastic depth; small images: patches of 2x2 instead of 4x4."""
    SIZES = {    # widths of the four stages, blocks in each
        "atto": ((40, 80, 160, 320), (2, 2, 6, 2)),
        "femto": ((48, 96, 192, 384), (2, 2, 6, 2)),
        "pico": ((64, 128, 256, 512), (2, 2, 6, 2)),
        "nano": ((80, 160, 320, 640), (2, 2, 8, 2)),
        "tiny": ((96, 192, 384, 768), (3, 3, 9, 3)),
    }

    def __init__(self, act, classes, channels, side, drop, size, stem=0):
        super().__init__()
        widths, depths = self.SIZES[size]
        patch = stem or (2 if side <= SMALL_SIDE else 4)
        first = nn.Conv2d(channels, widths[0], 3, padding=1) if patch == 1 else nn.Conv2d(channels, widths[0], patch, patch)
        stem = nn.Sequential(first, ChannelNorm(widths[0]))
        self.features = nn.Sequential(stem)
        for index, (width, depth) in enumerate(zip(widths, depths)):
            if index:
                before = widths[index - 1]
                self.features.append(nn.Sequential(ChannelNorm(before), nn.Conv2d(before, width, 2, 2)))
            self.features.append(nn.Sequential(*(ConvNeXtBlock(act, width) for _ in range(depth))))
        self.classifier = nn.Sequential(ChannelNorm(widths[-1]), nn.Flatten(), nn.Linear(widths[-1], classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3), keepdim=True))


# ---- airbench ---------------------------------------------------------------------------------------------------


class AirbenchBlock(nn.Module):
    def __init__(self, act, cin, cout):
        super().__init__()
        self.conv1, self.pool, self.norm1, self.act1 = conv(cin, cout, 3), nn.MaxPool2d(2), self.norm(cout), act(cout)
        self.conv2, self.norm2, self.act2 = conv(cout, cout, 3), self.norm(cout), act(cout)
        for layer in (self.conv1, self.conv2):      # the first filters are identities
            nn.init.dirac_(layer.weight.data[:layer.in_channels])

    @staticmethod
    def norm(channels):
        return nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)

    def forward(self, x):
        x = self.act1(self.norm1(self.pool(self.conv1(x))))
        return self.act2(self.norm2(self.conv2(x)))


class Airbench(nn.Module):
    """Jordan, 2024, arXiv:2404.00498: airbench94. Which parameters are frozen is the recipe's affair."""
    WIDTHS = (64, 256, 256)

    def __init__(self, act, classes, channels, side, drop):
        super().__init__()
        filters = 2 * channels * 2 * 2
        self.whiten = nn.Conv2d(channels, filters, 2)
        nn.init.zeros_(self.whiten.bias)
        widths = (filters, *self.WIDTHS)
        blocks = [AirbenchBlock(act, *pair) for pair in zip(widths, widths[1:])]
        self.layers = nn.Sequential(act(filters), *blocks, nn.AdaptiveMaxPool2d(1))
        self.head = nn.Linear(widths[-1], classes, bias=False)

    def forward(self, x):
        return self.head(self.layers(self.whiten(x)).flatten(1)) / 9


# ---- the registry -----------------------------------------------------------------------------------------------

# name: (its own activation, constructor)
ARCHITECTURES = {
    "lenet": ("relu", lenet),
    "baseline": ("relu", baseline),
    "alexnet": ("relu", alexnet),
    "vgg16": ("relu", vgg16),
    "resnet18": ("relu", ResNet18),
    "efficientnet_lite0": ("silu", EfficientNetLite0),
    "tf_efficientnet_lite0": ("relu6", TFEfficientNetLite0),
    "airbench": ("gelu", Airbench),
    "mlp": ("relu", mlp),
    **{f"convnext_{size}": ("gelu", lambda *a, size=size, **k: ConvNeXt(*a, size=size, **k)) for size in ConvNeXt.SIZES},
}


def build(arch, act=None, classes=10, channels=3, side=32, dropout=True, squeeze_excite=False, stem=0):
    own, make = ARCHITECTURES[arch]
    factory = activation(act or own)
    drop = nn.Dropout if dropout else lambda p: nn.Identity()
    if squeeze_excite:
        if not arch.endswith("efficientnet_lite0"):
            raise ValueError(f"squeeze-excite: {arch}: only efficientnet_lite0 and tf_efficientnet_lite0 have it")
        return make(factory, classes, channels, side, drop, squeeze=True)
    if stem:
        return make(factory, classes, channels, side, drop, stem=stem)
    return make(factory, classes, channels, side, drop)
