"""The pictures that a manifest names are there, and as wide as it says."""

import importlib.util
import sys
from types import ModuleType

import pytest

from greenroom.addin.manifest.names import ICON_SIZE, PHONE_SCALES, PHONE_SIZES, RIBBON_SIZES, SIZES, icon, phone_icon
from greenroom.addin.manifest.pictures import width_of
from support.pictures import size_of
from support.shared import PROJECT

FOLDER = PROJECT / "src" / "greenroom" / "addin" / "static" / "icons"
LARGEST = 100 * 1024  # what Outlook takes of a picture


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("addin_icons", PROJECT / "tools" / "addin_icons.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def widths() -> dict[str, int]:
    return {icon(size): size for size in (*SIZES, *RIBBON_SIZES, ICON_SIZE)} | {
        phone_icon(size, scale): size * scale for size in PHONE_SIZES for scale in PHONE_SCALES
    }


def test_every_picture_is_there_and_square_and_small() -> None:
    for name, width in widths().items():
        content = (FOLDER / name).read_bytes()
        assert size_of(content) == (width, width), name
        assert len(content) < LARGEST
        assert width_of(name) == width


def test_there_are_no_others() -> None:
    assert {one.name for one in FOLDER.iterdir()} == set(widths())
    assert width_of("../icon-16.png") is None


def test_phones_get_one_grey_that_they_colour_themselves() -> None:
    drawing = tool()
    rows = drawing.shown((FOLDER / "mobile-25-1x.png").read_bytes())
    width = 25 * 4 + 1
    pixels = [rows[at + 1 : at + width][i : i + 4] for at in range(0, len(rows), width) for i in range(0, 100, 4)]
    assert {tuple(one[:3]) for one in pixels if one[3]} == {(0x91, 0x91, 0x91)}
    assert any(one[3] == 255 for one in pixels)
    assert any(one[3] == 0 for one in pixels)


@pytest.mark.parametrize("size", [16, 25])
def test_a_picture_is_what_the_tool_draws(size: int) -> None:
    drawing = tool()
    drawn = drawing.png(size, drawing.drawn(size, drawing.coloured))
    assert drawing.shown((FOLDER / icon(size)).read_bytes()) == drawing.shown(drawn)


@pytest.mark.slow
def test_all_of_them_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["addin_icons.py", "--check"])
    assert tool().main() == 0
