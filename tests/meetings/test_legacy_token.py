from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.legacy_token import MOST_TOKENS, NUMBERS_FROM, find_legacy_tokens, legacy_number

ONE = "0b2f6a30-7d2c-4c51-9b55-0c8b6f0f4f10"
TWO = "9d3e1c4b-0a5f-4e77-8c21-f2a6b1d07e38"
_INSERTED = st.sampled_from(
    [
        "<wbr>",
        "<span style='x'>",
        "</b>",
        "&shy;",
        "\u00ad",
        "\u200b",
        "&nbsp;",
        "\u00a0",
        "=\r\n",
        "\r\n ",
        "&#8203;",
        "*",
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        f"PXPS:-{ONE}#",
        f"<p>pxps:-{ONE.upper()}#</p>",
        f"PXPS:&#45;{ONE}&#35;",
        f"PXPS&#58;&#x2d;{ONE}#",
        f"> PXPS:-{ONE[:20]}\r\n> {ONE[20:]}#",
        f"<b>P</b>XPS:-<a href='x'>{ONE}</a>#",
        f"PXPS\u00a0:\u2011{ONE.replace('-', chr(0x2011))}#",
        f"PXPS:-{ONE}",
    ],
)
def test_a_token_is_found_whatever_was_done_to_it(text: str) -> None:
    assert find_legacy_tokens(f"<html>Agenda {text} more").aliases == (ONE,)


@pytest.mark.parametrize(
    "text",
    ["PXPS", f"APXPS:-{ONE}#", f"PXPS:-{ONE}00#", f"PXPS:-{ONE[:-1]}#", "PXPS:-guid#", "TOK", "STOK:-1#", "TOK:-1"],
)
def test_what_is_no_token_is_not_found(text: str) -> None:
    assert find_legacy_tokens(text) == find_legacy_tokens("")


@given(st.lists(st.tuples(st.integers(0, 41), _INSERTED), max_size=8))
def test_a_mail_client_may_insert_things_anywhere(inserted: list[tuple[int, str]]) -> None:
    text = f"PXPS:-{ONE}#"
    for place, what in sorted(inserted, reverse=True):
        text = text[:place] + what + text[place:]
    assert find_legacy_tokens(text).aliases == (ONE,)


@given(st.uuids())
def test_every_uuid_is_read_as_it_was_printed(uuid: UUID) -> None:
    assert find_legacy_tokens(f"<td>PXPS:-{uuid}#</td>").aliases == (str(uuid),)


@given(st.text(alphabet="PXSTOK:-#<>&;= 09af\u00ad\n", max_size=400))
def test_no_text_makes_it_fail(text: str) -> None:
    assert len(find_legacy_tokens(text).aliases) <= MOST_TOKENS


def test_several_tokens_are_told_in_order_and_once() -> None:
    text = f"PXPS:-{TWO}# PXPS:-{ONE}# PXPS:-{TWO}#"
    assert find_legacy_tokens(text).aliases == (TWO, ONE)


def test_tokens_beyond_counting_are_left_out() -> None:
    text = " ".join(f"PXPS:-{UUID(int=n)}#" for n in range(200))
    assert len(find_legacy_tokens(text).aliases) == MOST_TOKENS


@pytest.mark.parametrize("text", ["TOK:-abc.def#", "<p>TOK:<wbr>-a\u00adb#</p>", "tok&shy;:-x#"])
def test_a_token_that_names_no_alias_yet_is_told(text: str) -> None:
    assert find_legacy_tokens(text).offline


@given(st.uuids())
def test_numbers_of_tokens_are_no_aliases_and_fit_a_database(uuid: UUID) -> None:
    assert NUMBERS_FROM <= legacy_number(str(uuid)) < 2**63
