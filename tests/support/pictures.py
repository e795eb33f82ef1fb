"""Reading a QR code from a PNG, with another program than the one that drew it."""

import struct
import zlib

import zxingcpp

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NONE, _UP = 0, 2


def read_qr(png: bytes) -> list[str]:
    """The texts of all codes in the picture: black and white, one bit a pixel, as small pictures of codes are."""
    width, height, pixels = _pixels(png)
    found = zxingcpp.read_barcodes(memoryview(pixels).cast("B", (height, width)))
    return [one.text for one in found]


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height."""
    assert png.startswith(_SIGNATURE)
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def _pixels(png: bytes) -> tuple[int, int, bytes]:
    (width, height), parts = size_of(png), dict[bytes, bytes]()
    place = len(_SIGNATURE)
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind, data = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        (check,) = struct.unpack(">I", png[place + 8 + length : place + 12 + length])
        assert zlib.crc32(kind + data) == check
        parts[kind] = parts.get(kind, b"") + data
        place += 12 + length
    assert parts[b"IHDR"][8:10] == b"\x01\x00", "one bit of grey"
    lines, stride, before = zlib.decompress(parts[b"IDAT"]), (width + 7) // 8 + 1, bytes((width + 7) // 8)
    rows = []
    for start in range(0, height * stride, stride):
        kind_of_filter, line = lines[start], lines[start + 1 : start + stride]
        assert kind_of_filter in {_NONE, _UP}
        if kind_of_filter == _UP:
            line = bytes((a + b) & 255 for a, b in zip(line, before, strict=True))
        before = line
        bits = "".join(f"{byte:08b}" for byte in line)[:width]
        rows.append(bytes(255 * int(bit) for bit in bits))
    return width, height, b"".join(rows)
