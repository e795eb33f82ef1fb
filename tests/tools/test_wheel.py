"""What is installed elsewhere: the wheel holds everything the add-in's pages load."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_wheel_carries_the_pages_and_msal_with_its_licence(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name.removeprefix("greenroom/addin/") for name in archive.namelist() if "/addin/" in name}
        msal = archive.read("greenroom/addin/static/vendor/msal-browser.min.js")
    assert {"static/vendor/msal-browser.LICENSE.txt", "static/js/flow.js", "texts/en.json"} <= names
    package = PROJECT / "node_modules" / "@azure" / "msal-browser" / "lib" / "msal-browser.min.js"
    assert msal == package.read_bytes()
    assert not any("node_modules" in name or "MicrosoftAjax" in name for name in names)
