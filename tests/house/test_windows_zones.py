"""The table of Windows' names of zones is current: what other people's tables know, and what its generator makes."""

import importlib.util
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

import exchangelib.winzone
import pytest
import tzlocal.windows_tz
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from greenroom.meetings import windows_zones as ours
from greenroom.meetings.windows_zones import PLACES, WINDOWS_ZONES
from greenroom.meetings.zones import Zone, find
from support.clocks_compared import year
from support.shared import PROJECT

MADE = PROJECT / "src" / "greenroom" / "meetings" / "windows_zones.py"
XML = """<?xml version="1.0" encoding="UTF-8" ?>
<!DOCTYPE supplementalData SYSTEM "../../common/dtd/ldmlSupplemental.dtd">
<supplementalData>
	<windowsZones>
		<mapTimezones otherVersion="7e11800" typeVersion="{version}">
			<!-- about the file -->
			{zones}
		</mapTimezones>
	</windowsZones>
</supplementalData>
"""
EUROPE = """<!-- (UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna -->
			<mapZone other="W. Europe Standard Time" territory="001" type="Europe/Berlin"/>
			<mapZone other="W. Europe Standard Time" territory="AT" type="Europe/Vienna"/>"""


@pytest.fixture
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("windows_zones_tool", PROJECT / "tools" / "windows_zones.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["windows_zones_tool"] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    return module


def own_source(generator: ModuleType) -> str:
    """Write the file CLDR would have to have for what is committed."""
    added = {name.lower() for name in generator._ADDED}
    zones = []
    for name, zone in WINDOWS_ZONES.items():
        if name not in added:
            places = ", ".join(place for place, owner in PLACES.items() if owner == name)
            zones.append(f"<!-- (UTC+00:00) {places} -->")
            zones.append(f'<mapZone other="{name}" territory="001" type="{zone}"/>')
    return XML.format(version=ours.CLDR_TYPE_VERSION, zones="\n".join(zones))


@cache
def clocks(name: str) -> list[object]:
    zone = ZoneInfo(name)
    return [year(at).replace(month=month).astimezone(zone).utcoffset() for at in range(1980, 2035) for month in (1, 7)]


@pytest.mark.parametrize(
    ("whose", "table"),
    [
        ("tzlocal", tzlocal.windows_tz.win_tz),
        ("icalendar", WINDOWS_TO_OLSON),
        ("exchangelib", exchangelib.winzone.MS_TIMEZONE_TO_IANA_MAP),
    ],
)
def test_every_zone_of_windows_that_others_know_is_known_and_the_same(whose: str, table: Mapping[str, str]) -> None:
    assert len(table) > 130
    for name, zone in table.items():
        found = find(Zone(name))
        assert found is not None, f"{whose} knows {name}"
        if zone != "UTC":
            assert clocks(WINDOWS_ZONES[name.lower()]) == clocks(zone), name


def test_every_zone_has_data_and_every_place_a_zone() -> None:
    assert {find(Zone(zone)) is None for zone in WINDOWS_ZONES.values()} == {False}
    assert set(PLACES.values()) <= set(WINDOWS_ZONES)


def test_the_module_is_what_its_generator_makes_of_it(generator: ModuleType) -> None:
    table = generator.Table(ours.CLDR_RELEASE, ours.CLDR_TYPE_VERSION, WINDOWS_ZONES, PLACES)
    assert generator.render(table) == MADE.read_text(encoding="utf-8")
    assert generator.read(own_source(generator).encode(), ours.CLDR_RELEASE) == table
    assert ours.CLDR_RELEASE == generator.RELEASE


def test_the_check_passes_for_the_file_it_was_made_of_and_fails_for_another(
    generator: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "windowsZones.xml"
    source.write_text(own_source(generator), encoding="utf-8")
    assert generator.main(["--from", str(source), "--check"]) == 0
    source.write_text(own_source(generator).replace("Europe/Berlin", "Europe/Paris"), encoding="utf-8")
    assert generator.main(["--from", str(source), "--check"]) == 1
    assert "run tools/windows_zones.py" in capsys.readouterr().err
    assert generator.main(["--from", str(source), "--check", "--release", "47"]) == 1


def test_zones_are_read_from_cldr_and_written(generator: ModuleType, tmp_path: Path) -> None:
    source, made = tmp_path / "windowsZones.xml", tmp_path / "made.py"
    source.write_text(XML.format(version="2026a", zones=EUROPE), encoding="utf-8")
    table = generator.read(source.read_bytes(), "49")
    assert (table.release, table.type_version) == ("49", "2026a")
    assert {name for name in table.zones if name not in {one.lower() for one in generator._ADDED}} == {
        "w. europe standard time"
    }
    assert set(table.places) == {"amsterdam", "berlin", "bern", "rome", "stockholm", "vienna"}
    assert generator.main(["--from", str(source), "--to", str(made), "--release", "49"]) == 0
    assert '"w. europe standard time": "Europe/Berlin"' in made.read_text(encoding="utf-8")
    assert 'CLDR_RELEASE = "49"' in made.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<a>",
        "<supplementalData/>",
        XML.format(
            version="x", zones='<mapZone other="Alberta Standard Time" territory="001" type="America/Edmonton"/>'
        ),
        XML.format(version="x", zones='<mapZone territory="001" type="America/Edmonton"/>'),
    ],
    ids=["empty", "not closed", "another file", "added by hand as well", "without a name"],
)
def test_what_is_not_cldrs_file_is_refused(
    generator: ModuleType, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, made = tmp_path / "windowsZones.xml", tmp_path / "made.py"
    source.write_text(text, encoding="utf-8")
    assert generator.main(["--from", str(source), "--to", str(made)]) == 2
    assert not made.exists()
    assert capsys.readouterr().err.startswith("windows_zones: ")
