import tomllib

from hypothesis import given
from hypothesis import strategies as st

from greenroom.settings.toml_lines import find_lines

TEXT = '''\
# first
title = "a # b"
[a.b]
c = 1
"quoted key" = { d = 2, e = [1,
  2] }
dotted.key = """
not = a key
"""
[[list]]
x = [
  { y = 1 },  # comment ] }
  { y = "]" },
]
[list.sub]
z = \'\'\'
[nope]\'\'\'
[[list]]
x = 1979-05-27 07:32:00
[list.sub]
z = true
'''


def test_every_key_is_found_at_its_line() -> None:
    lines = find_lines(TEXT)
    assert lines["title",] == 2
    assert lines["a", "b"] == 3
    assert lines["a", "b", "c"] == 4
    assert lines["a", "b", "quoted key", "e"] == 5
    assert lines["a", "b", "quoted key", "e", 1] == 6
    assert lines["a", "b", "dotted", "key"] == 7
    assert lines["list", 0] == 10
    assert lines["list", 0, "x", 1, "y"] == 13
    assert lines["list", 0, "sub", "z"] == 16
    assert lines["list", 1, "x"] == 19
    assert lines["list", 1, "sub", "z"] == 21
    assert ("nope",) not in lines


@given(st.text(alphabet="ab=[]{}\"'.,#\n \\1", max_size=60))
def test_any_text_that_is_toml_is_scanned_to_its_end(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert all(1 <= line <= text.count("\n") + 1 for line in find_lines(text).values())
