from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from greenroom.meetings.instructions import instructions_block, replace_block, with_instructions, with_location
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing
from greenroom.meetings.ticket_finder import find_tickets
from support.shared import shared_path

RING = KeyRing("GRM", 7, {3: bytes(range(32))})
OLD, NEW, THIRD = (RING.issue(n, datetime(2026, 8, 1, tzinfo=UTC)) for n in (111, 222, 333))


def rendered(ticket: str) -> str:
    return Texts().render(
        "joining_instructions",
        {
            "alias": "vc1@example.org",
            "numeric_alias": "1",
            "join_url": "https://x.example/j/1",
            "ticket": ticket,
            "pin": "123456",
        },
    )


TEAMS = (
    '<html xmlns:o="urn:x"><head><style><!-- p.MsoNormal {margin:0} </body> --></style></head><body lang=EN-US>\r\n'
    "<div class=WordSection1><p class=MsoNormal>Dear all<o:p></o:p><p>unclosed<b>bold</p>\r\n"
    "<!-- </body> --><div>________________________________________________________________________________</div>"
    "<a href='https://teams.microsoft.com/l/meetup-join/19%3ameeting'>Join</a></div>\r\n</BODY >\r\n</html>\r\n"
)
BODIES = [
    "<p>Hi</p>",
    "<html><body></body></html>",
    "<HTML><BODY bgcolor=white>Hi</BODY></HTML>",
    "<html><body>Hi</html>",
    "<div>a</div></body><p>after</p></body></html>",
    "<p>a < b & c &nbsp; <unknown x='</body>",
    "<body>x</body><!-- </body> -->",
    "<body>x <!-- never closed </body>",
    TEAMS,
]


@pytest.mark.parametrize("body", BODIES)
def test_the_block_goes_in_and_no_other_byte_changes(body: str) -> None:
    result = with_instructions(body, rendered(NEW), NEW)
    assert result is not None
    block = instructions_block(rendered(NEW), NEW)
    before, _, after = result.partition("<br>\r\n" + block + "\r\n")
    assert before + after == body
    assert find_tickets(result, "GRM") == [NEW]


def test_the_block_stands_before_the_closing_body_tag_that_counts() -> None:
    result = with_instructions(TEAMS, rendered(NEW), NEW)
    assert result is not None
    assert result.endswith("</tbody></table>\r\n</BODY >\r\n</html>\r\n")
    result = with_instructions("<body>x</body><!-- </body> -->", rendered(NEW), NEW)
    assert result is not None
    assert result.endswith("</table>\r\n</body><!-- </body> -->")


def test_a_body_that_has_the_ticket_stays_as_it_is() -> None:
    body = with_instructions(TEAMS, rendered(NEW), NEW)
    assert body is not None
    assert with_instructions(body, rendered(NEW), NEW) is None
    assert replace_block(body, OLD, rendered(NEW), NEW) is None
    assert with_instructions(f"plain {NEW.lower().replace('-', ' - ')}", rendered(NEW), NEW) is None
    assert with_instructions(f"plain {OLD}", rendered(NEW), NEW) is not None


def test_a_plain_text_becomes_html_with_its_lines() -> None:
    result = with_instructions("Dear all,\r\n\r\n1 < 2 & 3\n", rendered(NEW), NEW)
    assert result is not None
    assert result.startswith("<html><body>\r\n<div>Dear all,<br>\r\n<br>\r\n1 &lt; 2 &amp; 3</div>")
    assert result.endswith("</table>\r\n</body></html>")
    assert (
        with_instructions("", rendered(NEW), NEW)
        == f"<html><body>\r\n{instructions_block(rendered(NEW), NEW)}\r\n</body></html>"
    )


@pytest.mark.parametrize("body", BODIES)
def test_the_block_of_a_copied_meeting_is_exchanged_exactly(body: str) -> None:
    copied = with_instructions(body, rendered(OLD), OLD)
    assert copied is not None
    exchanged = replace_block(copied, OLD, rendered(NEW), NEW)
    assert exchanged == with_instructions(body, rendered(NEW), NEW)


def test_copies_of_copies_do_not_grow() -> None:
    once = with_instructions(TEAMS, rendered(OLD), OLD)
    assert once is not None
    twice = replace_block(once, OLD, rendered(NEW), NEW)
    assert twice is not None
    thrice = replace_block(twice, NEW, rendered(THIRD), THIRD)
    assert thrice is not None
    assert len(once) == len(twice) == len(thrice)
    assert find_tickets(thrice, "GRM") == [THIRD]


def _word_flat(ticket: str) -> str:
    mark = f"GRM:{ticket[-5:]}"
    return (
        "<html><body><div class=WordSection1 id=x_1><p class=MsoNormal>Agenda<o:p></o:p></p>{}"
        f"<p class=MsoNormal style='x'><span style='font-size:9pt'>{mark}<o:p></o:p></span></p>"
        "<p class=MsoNormal><b>Video meeting</b></p><p class=MsoNormal>&nbsp;</p>"
        f"<p class=MsoNormal><span lang=EN-US>Meeting reference: {ticket.replace('-', '&#8209;')}<o:p></o:p></span></p>"
        "{}<p class=MsoNormal>Regards</p></div></body></html>"
    )


def test_a_block_that_outlook_flattened_into_paragraphs_is_exchanged() -> None:
    result = replace_block(_word_flat(OLD).format("", ""), OLD, rendered(NEW), NEW)
    block = instructions_block(rendered(NEW), NEW)
    head, tail = "<p class=MsoNormal>Agenda<o:p></o:p></p>", "<p class=MsoNormal>Regards</p></div></body></html>"
    assert result == f"<html><body><div class=WordSection1 id=x_1>{head}{block}{tail}"


def test_a_block_in_rewritten_table_cells_goes_with_its_table() -> None:
    mark = f"GRM:{OLD[-5:]}"
    table = (
        f"<table class=MsoTable border=0><tbody><tr><td width=5><div><p>{mark}</p></div><div>ways</div>"
        f"<div><p>Meeting reference: {OLD}</p></div>\r\n</td></tr></tbody></table>"
    )
    body = f"<div>a{table}b</div>"
    assert replace_block(body, OLD, rendered(NEW), NEW) == f"<div>a{instructions_block(rendered(NEW), NEW)}b</div>"


@pytest.mark.parametrize(
    "body",
    [
        f"<p>Meeting reference: {OLD}</p>",  # no mark
        f"<p>GRM:{OLD[-5:]}</p><p>GRM:{OLD[-5:]}</p><p>{OLD}</p>",  # two marks
        f"<p>GRM:{OLD[-5:]}</p><p>{OLD}</p><p>{OLD}</p>",  # two tickets
        f"<p>{OLD}</p><p>GRM:{OLD[-5:]}</p>",  # the wrong way round
        f"<p>Mine GRM:{OLD[-5:]}</p><p>{OLD}</p>",  # the organizer's words before the mark
        f"<p>GRM:{OLD[-5:]}</p><p>{OLD} and mine</p>",  # and behind the ticket
        f"<p>GRM:{OLD[-5:]}</p><div>x<p>{OLD}</p>",  # an element that never ends
        f"<p>GRM:{OLD[-5:]}</p></div><p>{OLD}</p>",  # an end without a beginning
        f"<div><p>GRM:{OLD[-5:]}</p></div><div><p>{OLD}</p>mine</div>",
    ],
)
def test_where_the_ends_are_not_certain_the_old_block_stays(body: str) -> None:
    result = replace_block(body, OLD, rendered(NEW), NEW)
    assert result == f"{body}<br>\r\n{instructions_block(rendered(NEW), NEW)}\r\n"


def test_a_block_in_plain_text_is_taken_out() -> None:
    result = replace_block(f"Agenda\nGRM:{OLD[-5:]}\nways\nMeeting reference: {OLD}\nRegards", OLD, rendered(NEW), NEW)
    assert result is not None
    assert find_tickets(result, "GRM") == [NEW]
    assert "Agenda<br>" in result
    assert "Regards" in result


PIECES = [
    *("<p>", "</p>", "<div>", "</div>", "<td>", "</table>", "x", "<!--", "-->", "</body>", "<style>", "<", '"', "'"),
    *(f"GRM:{OLD[-5:]}", OLD),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_whatever_the_body_the_new_ticket_gets_in_and_nothing_else_is_lost(parts: list[str]) -> None:
    body = "<i>" + "".join(parts)
    result = replace_block(body, OLD, rendered(NEW), NEW)
    assert result is not None
    assert NEW in result
    before, _, after = result.partition(instructions_block(rendered(NEW), NEW))
    assert body.startswith(before.removesuffix("<br>\r\n"))
    assert body.endswith(after.removeprefix("\r\n"))


def _recorded_bodies() -> list[str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    bodies = set()
    for path in sorted(shared_path("captures/ews").rglob("*.xml")):
        tree = etree.parse(path, parser)
        found = tree.iterfind(".//{http://schemas.microsoft.com/exchange/services/2006/types}Body[@BodyType='HTML']")
        bodies |= {body.text for body in found if body.text}
    return sorted(bodies)


def test_recorded_bodies_take_the_block_and_give_it_back_without_a_changed_byte() -> None:
    bodies = [body for body in _recorded_bodies() if "<" in body]
    assert bodies
    block = instructions_block(rendered(NEW), NEW)
    for body in bodies:
        result = with_instructions(body, rendered(NEW), NEW)
        assert result is not None
        assert result.replace(f"<br>\r\n{block}\r\n", "") == body
        assert replace_block(result, NEW, rendered(OLD), OLD) == with_instructions(body, rendered(OLD), OLD)


def test_a_location_is_added_once_and_only_where_it_fits() -> None:
    assert with_location("", "https://x/j/1") == "https://x/j/1"
    assert with_location("Room 5", "https://x/j/1") == "Room 5; https://x/j/1"
    assert with_location("Room 5; ", "https://x/j/1") == "Room 5; https://x/j/1"
    assert with_location("Room 5; https://x/j/1", "https://x/j/1") == "Room 5; https://x/j/1"
    assert with_location("R" * 243, "0123456789") == "R" * 243 + "; 0123456789"
    assert with_location("R" * 244, "0123456789") == "R" * 244
    assert with_location("Room 5", "") == "Room 5"
