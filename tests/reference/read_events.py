"""Reads TensorBoard's event files, from the published formats alone (record_writer.cc, event.proto, summary.proto): every checksum, every
length and every field is checked; of pictures every chunk. Standard library only.

usage: read_events.py FILE        prints an event a line"""
import struct
import sys
import zlib

VARINT, DOUBLE, BYTES, FLOAT = 0, 1, 2, 5


def _table():
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        yield crc


TABLE = list(_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283      # RFC 3720's check value


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        length, check = struct.unpack_from("<QI", data, at)
        if check != masked(data[at:at + 8]):
            raise ValueError(f"byte {at}: the length's checksum is wrong")
        body = data[at + 12:at + 12 + length]
        if len(body) != length or struct.unpack_from("<I", data, at + 12 + length)[0] != masked(body):
            raise ValueError(f"byte {at}: the record's checksum is wrong")
        yield body
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, wire type, value) of a message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = varint(data, at)
        elif wire == DOUBLE:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif wire == FLOAT:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        elif wire == BYTES:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            if len(value) != length:
                raise ValueError(f"field {number} is cut off")
        else:
            raise ValueError(f"field {number} has wire type {wire}")
        yield number, wire, value


def message(data, wanted):
    """{name: value} of a message whose fields are {number: (name, wire type)}; nothing else may be in it. Repeated: a list."""
    found = {}
    for number, wire, value in fields(data):
        name, its_wire = wanted[number]
        if wire != its_wire:
            raise ValueError(f"{name} has wire type {wire}")
        found.setdefault(name, []).append(value)
    return found


def doubles(data):
    return list(struct.unpack(f"<{len(data) // 8}d", data))


def histogram(data):
    found = message(data, {1: ("min", DOUBLE), 2: ("max", DOUBLE), 3: ("num", DOUBLE), 4: ("sum", DOUBLE), 5: ("sum_squares", DOUBLE),
                           6: ("bucket_limit", BYTES), 7: ("bucket", BYTES)})
    return {name: doubles(value[0]) if name.startswith("bucket") else value[0] for name, value in found.items()}


def chunks(data):
    """(kind, body) of a PNG (ISO/IEC 15948), up to its end."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("no PNG")
    at, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + length]
        if struct.unpack_from(">I", data, at + 8 + length)[0] != zlib.crc32(kind + body):
            raise ValueError(f"a checksum of the picture is wrong: {kind}")
        yield kind, body
        at += 12 + length
    if at != len(data):
        raise ValueError("bytes behind the picture")


def paeth(left, up, corner):
    near = left + up - corner
    return min((left, up, corner), key=lambda value: abs(near - value))


def unfilter(kind, row, before, step):
    for i, value in enumerate(row):
        left, corner = (row[i - step], before[i - step]) if i >= step else (0, 0)
        row[i] = (value + (0, left, before[i], (left + before[i]) // 2, paeth(left, before[i], corner))[kind]) & 255


def png(data):
    """(height, width, channels, rows) of eight bits a channel, grey or in colours."""
    parts = list(chunks(data))
    if parts[0][0] != b"IHDR":
        raise ValueError("a picture begins with its header")
    width, height, depth, colours, *rest = struct.unpack(">IIBBBBB", parts[0][1])
    if depth != 8 or colours not in (0, 2) or rest != [0, 0, 0]:
        raise ValueError(f"another kind of picture: {parts[0][1]}")
    channels = 3 if colours else 1
    raw = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    if len(raw) != height * (1 + width * channels):
        raise ValueError(f"{len(raw)} bytes of pixels")
    rows, before = [], bytes(width * channels)
    for y in range(height):
        at = y * (1 + width * channels)
        row = bytearray(raw[at + 1:at + 1 + width * channels])
        unfilter(raw[at], row, before, channels)
        rows.append(bytes(row))
        before = row
    return height, width, channels, rows


def picture(data):
    found = message(data, {1: ("height", VARINT), 2: ("width", VARINT), 3: ("channels", VARINT), 4: ("png", BYTES)})
    height, width, channels, rows = png(found["png"][0])
    if [found["height"][0], found["width"][0], found["channels"][0]] != [height, width, channels]:
        raise ValueError(f"a picture of {height} x {width} x {channels}: {found['height'][0]} x {found['width'][0]} x {found['channels'][0]}")
    return height, width, channels, rows


def load(path):
    """[(step, tag, number, histogram or picture)] of a file; the first event must be the version."""
    with open(path, "rb") as file:
        data = file.read()
    events = []
    for i, body in enumerate(records(data)):
        event = message(body, {1: ("wall_time", DOUBLE), 2: ("step", VARINT), 3: ("version", BYTES), 5: ("summary", BYTES)})
        if event["wall_time"][0] < 1.5e9:
            raise ValueError(f"event {i} was written at {event['wall_time'][0]}")
        if (i == 0) != ("version" in event) or (i == 0 and event["version"] != [b"brain.Event:2"]):
            raise ValueError(f"event {i}: the version belongs into the first event")
        for summary in event.get("summary", []):
            for value in message(summary, {1: ("value", BYTES)})["value"]:
                value = message(value, {1: ("tag", BYTES), 2: ("number", FLOAT), 4: ("picture", BYTES), 5: ("histogram", BYTES)})
                held = value["number"][0] if "number" in value else picture(value["picture"][0]) if "picture" in value else histogram(value["histogram"][0])
                events.append((event["step"][0], value["tag"][0].decode(), held))
    return events


if __name__ == "__main__":
    for step, tag, value in load(sys.argv[1]):
        print(step, tag, value if isinstance(value, float) else "%d x %d x %d" % value[:3] if isinstance(value, tuple) else {name: value[name] for name in ("min", "max", "num", "sum")})
