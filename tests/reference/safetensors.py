"""Safetensors files as {name: numpy array} and {key: text}, for the tests: strict reading, canonical writing.

    u64 length of the header | JSON header, padded with spaces | tensors, packed, little-endian, row-major

bf16 has no numpy type: such tensors are read as float32."""
import json
import os
import struct

import numpy as np

# In the order in which a file holds them: the widest first, so that every tensor is aligned.
DTYPES = {"F64": np.dtype("<f8"), "I64": np.dtype("<i8"), "F32": np.dtype("<f4"), "I32": np.dtype("<i4"),
          "BF16": np.dtype("<u2"), "F16": np.dtype("<f2"), "U8": np.dtype("u1")}
NAME_OF = {dtype: name for name, dtype in DTYPES.items() if name != "BF16"}


class FormatError(ValueError):
    pass


def _unique(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise FormatError("a name stands twice in the header")
    return dict(pairs)


def load(path):
    """Returns (tensors, metadata); FormatError if a byte of the file is not as the format wants it."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 8:
        raise FormatError(f"{path}: {len(data)} bytes are no safetensors file")
    (length,) = struct.unpack_from("<Q", data)
    if length > len(data) - 8 or data[8:9] != b"{":
        raise FormatError(f"{path}: header of {length} bytes in a file of {len(data)}")
    header = json.loads(data[8:8 + length].decode(), object_pairs_hook=_unique)
    metadata = header.pop("__metadata__", {})
    if not all(isinstance(text, str) for text in metadata.values()):
        raise FormatError(f"{path}: metadata that is not text")
    body = memoryview(data)[8 + length:]
    tensors, at = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape, (begin, end) = DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
        size = dtype.itemsize * int(np.prod(shape, dtype=object))
        if begin != at or end - begin != size or end > len(body):
            raise FormatError(f"{path}: {name}: bytes {begin}..{end}, expected {at}..{at + size} of {len(body)}")
        values = np.frombuffer(body[begin:end], dtype)
        if entry["dtype"] == "BF16":
            values = (values.astype(np.uint32) << 16).view(np.float32)
        tensors[name], at = values.reshape(shape), end
    if at != len(body):
        raise FormatError(f"{path}: {len(body) - at} bytes after the last tensor")
    return tensors, metadata


def save(path, tensors, metadata=None):
    """Writes widest types first, then by name; the file appears whole or not at all."""
    order = list(NAME_OF)
    arrays = {name: np.asarray(values, order="C") for name, values in tensors.items()}
    names = sorted(arrays, key=lambda name: (order.index(arrays[name].dtype), name))
    header = {"__metadata__": dict(metadata)} if metadata else {}
    at = 0
    for name in names:
        values = arrays[name]
        header[name] = {"dtype": NAME_OF[values.dtype], "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".tmp", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            file.write(arrays[name].tobytes())
    os.replace(path + ".tmp", path)
