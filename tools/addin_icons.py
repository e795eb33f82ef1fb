"""Draws the pictures of the Outlook add-in, src/greenroom/addin/static/icons/: the open door of the join page, as PNG.

```
python tools/addin_icons.py            draw them all
python tools/addin_icons.py --check    change nothing; exit 1 if what is there shows anything else
```
Outlook takes no SVG. Phones colour their pictures themselves and want them in one grey.
"""

import argparse
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from greenroom.addin.manifest.names import PHONE_SCALES, PHONE_SIZES, SIZES, icon, phone_icon

FOLDER = Path(__file__).resolve().parents[1] / "src" / "greenroom" / "addin" / "static" / "icons"

Colour = tuple[int, int, int, int]
_GREEN, _PALE, _GREY, _NONE = (27, 122, 75, 255), (230, 243, 235, 255), (0x91, 0x91, 0x91, 255), (0, 0, 0, 0)
_GRID = 32.0  # the picture's own measure, that of web/static/icon.svg
_FINE = 6  # so many samples each way make a pixel
_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# Left, top, right and bottom of the frame, outside and inside, each with the radius of its corners.
_OUTSIDE, _INSIDE = (4.0, 2.0, 28.0, 30.0, 4.0), (6.0, 4.0, 26.0, 28.0, 2.0)
_LEAF_LEFT, _LEAF_RIGHT, _LEAF_BOTTOM = 10.0, 22.0, 29.0
_LEAF_TOP_LEFT, _LEAF_TOP_RIGHT = 8.4, 5.1
_KNOB_X, _KNOB_Y, _KNOB = 18.6, 18.0, 1.5


def _in_box(x: float, y: float, box: tuple[float, float, float, float, float]) -> bool:
    left, top, right, bottom, radius = box
    if not (left <= x <= right and top <= y <= bottom):
        return False
    across = max(left + radius - x, x - right + radius, 0.0)
    down = max(top + radius - y, y - bottom + radius, 0.0)
    return across * across + down * down <= radius * radius


def _in_leaf(x: float, y: float) -> bool:
    if not (_LEAF_LEFT <= x <= _LEAF_RIGHT and y <= _LEAF_BOTTOM):
        return False
    part = (x - _LEAF_LEFT) / (_LEAF_RIGHT - _LEAF_LEFT)
    return y >= _LEAF_TOP_LEFT + part * (_LEAF_TOP_RIGHT - _LEAF_TOP_LEFT)


def _on_knob(x: float, y: float) -> bool:
    return (x - _KNOB_X) ** 2 + (y - _KNOB_Y) ** 2 <= _KNOB**2


def coloured(x: float, y: float) -> Colour:
    """The picture in the ribbon, at a point of the grid."""
    if _on_knob(x, y):
        return _PALE
    if _in_leaf(x, y):
        return _GREEN
    if _in_box(x, y, _INSIDE):
        return _PALE
    return _GREEN if _in_box(x, y, _OUTSIDE) else _NONE


def grey(x: float, y: float) -> Colour:
    """The same for phones: one colour, which they replace."""
    if _on_knob(x, y):
        return _NONE
    if _in_leaf(x, y):
        return _GREY
    return _GREY if _in_box(x, y, _OUTSIDE) and not _in_box(x, y, _INSIDE) else _NONE


def drawn(pixels: int, colour: Callable[[float, float], Colour]) -> bytes:
    """Draw a picture so many pixels wide: rows of red, green, blue and alpha."""
    return b"".join(bytes(_pixel(column, row, pixels, colour)) for row in range(pixels) for column in range(pixels))


def _pixel(column: int, row: int, pixels: int, colour: Callable[[float, float], Colour]) -> Iterator[int]:
    step = _GRID / (pixels * _FINE)
    samples = [
        colour((column * _FINE + across + 0.5) * step, (row * _FINE + down + 0.5) * step)
        for down in range(_FINE)
        for across in range(_FINE)
    ]
    seen = [one for one in samples if one[3]]
    for channel in range(3):
        yield round(sum(one[channel] for one in seen) / len(seen)) if seen else 0
    yield round(255 * len(seen) / len(samples))


def png(pixels: int, content: bytes) -> bytes:
    """Pack rows of pixels (8 bits of red, green, blue and alpha each) as PNG."""
    rows = b"".join(b"\x00" + content[start : start + 4 * pixels] for start in range(0, len(content), 4 * pixels))
    head = struct.pack(">IIBBBBB", pixels, pixels, 8, 6, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def shown(file: bytes) -> bytes:
    """The rows of a PNG that `png` packed: what it shows, however well it is compressed."""
    place, data = len(_SIGNATURE), b""
    while place + 8 <= len(file):
        (size,) = struct.unpack(">I", file[place : place + 4])
        if file[place + 4 : place + 8] == b"IDAT":
            data += file[place + 8 : place + 8 + size]
        place += size + 12
    return zlib.decompress(data)


def pictures() -> Iterator[tuple[str, int, Callable[[float, float], Colour]]]:
    """Name, width and colours of every picture."""
    for size in SIZES:
        yield icon(size), size, coloured
    for size in PHONE_SIZES:
        for scale in PHONE_SCALES:
            yield phone_icon(size, scale), size * scale, grey


def main() -> int:
    """Draw, or compare."""
    parser = argparse.ArgumentParser(description="Draws the pictures of the Outlook add-in.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a picture is another one")
    check = parser.parse_args().check
    FOLDER.mkdir(parents=True, exist_ok=True)
    wrong = 0
    for name, pixels, colour in pictures():
        content, file = png(pixels, drawn(pixels, colour)), FOLDER / name
        if not check:
            file.write_bytes(content)
        elif not file.is_file() or shown(file.read_bytes()) != shown(content):
            print(f"{name} is not what would be drawn", file=sys.stderr)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
