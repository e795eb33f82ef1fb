import sys

from support.shared import PROJECT

sys.path.insert(0, str(PROJECT / "tools"))
import check_docs


def test_every_path_link_and_generated_page_of_the_documents_is_true() -> None:
    assert list(check_docs.problems()) == []


def test_the_check_notices_a_path_that_does_not_exist(tmp_path) -> None:  # type: ignore[no-untyped-def]
    page = tmp_path / "ARCHITECTURE.md"
    page.write_text("see `src/greenroom/nowhere.py` and `src/greenroom/meetings/`\n")
    assert [p.split(" names ")[1] for p in check_docs._paths(page)] == ["src/greenroom/nowhere.py, which does not exist"]
