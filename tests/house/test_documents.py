import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from support.shared import PROJECT


@pytest.fixture
def check_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_docs", PROJECT / "tools" / "check_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_path_link_and_generated_page_of_the_documents_is_true(check_docs: ModuleType) -> None:
    assert list(check_docs.problems()) == []


def test_the_check_notices_a_path_that_does_not_exist(check_docs: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "ARCHITECTURE.md"
    page.write_text("see `src/greenroom/nowhere.py` and `src/greenroom/meetings/`\n")
    (problem,) = check_docs._paths(page)
    assert problem == "ARCHITECTURE.md:1 names src/greenroom/nowhere.py, which does not exist"
