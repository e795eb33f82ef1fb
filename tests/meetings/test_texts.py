import re
from pathlib import Path

import pytest

from greenroom.meetings.reply import Outcome
from greenroom.meetings.templates import TemplateError, Texts, one_line
from greenroom.meetings.text_table import TEXTS, file_name

LANGUAGES = ("en", "de", "fr", "sv", "no")
TICKET = "GRM-2C00E-00000-3NQK8-N0NN6-VF4RW-FMZYW-B10KX-AP9E7"
VALUES: dict[str, object] = {
    "alias": "vc123456789@example.org",
    "numeric_alias": "123456789",
    "join_url": "https://meet.example.org/j/0123456789abcdef",
    "ticket": TICKET,
    "pin": "123456",
    "host_pin": "654321",
    "phone": "+49 30 1234567, then 123456789#",
    "phones": [
        {
            "country": country,
            "name": name,
            "number": number,
            "keys": "123456789#",
            "link": f"tel:{number.replace(' ', '')},,123456789#",
        }
        for country, name, number in (("DE", "Germany", "+49 30 7654321"), ("NO", "Norway", "+47 23 45 67 89"))
    ],
    "dial": [
        {"label": "SIP", "value": "sip:vc123456789@example.org", "link": "sip:vc123456789@example.org"},
        {"label": "Lobby", "value": "dial 123456789", "link": None},
    ],
    "web_app_url": "https://vc.example.org/webapp3/m/vc123456789@example.org",
    "qr_url": "https://meet.example.org/j/0123456789abcdef/qr.png",
    "ready_in": 90,
    "instructions": "<p>How to join</p>",
    "start_time": "3 May, 10:00",
    "end_time": "3 May, 11:00",
    "correlation_id": "c0ffee",
    "reason": "copied",
    "subject": "Budget <2027>",
    "organizer_name": "Ada Example",
    "organizer_email": "ada@example.org",
    "private": False,
    "name": "Ada's <own> room",
    "description": "For all",
    "domain_aliases": ["ada@example.org", "lovelace@example.org"],
    "other_aliases": ["ada"],
    "numeric_aliases": ["1815"],
    "asks_pin": False,
}


def render(texts: Texts, name: str, **changes: object) -> str:
    values = VALUES | changes
    return texts.render(name, {key: values[key] for key in TEXTS[name].variables})


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_packaged_texts_are_right(language: str) -> None:
    assert Texts(language=language).lint() == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_renders_with_all_and_with_only_the_needed_variables(name: str, language: str) -> None:
    texts = Texts(language=language)
    full = render(texts, name)
    least = texts.render(
        name, {key: VALUES[key] for key, variable in TEXTS[name].variables.items() if not variable.optional}
    )
    assert full
    assert least
    assert "None" not in least
    assert "{{" not in full
    if TEXTS[name].html:
        tags = re.findall(r"<(/?)(p|b|a|table|tr|td|div|span)\b", least)
        assert sum(1 for close, _ in tags if close) * 2 == len(tags)
        assert not re.search(r"<style|<script|flex|class=", full)


def test_each_outcome_has_its_text() -> None:
    assert len(Outcome) == 12
    assert {outcome.text for outcome in Outcome} <= TEXTS.keys()
    assert sum(outcome.accepts for outcome in Outcome) == 6


@pytest.mark.parametrize("language", LANGUAGES)
def test_joining_instructions_say_all_ways_and_end_with_the_ticket(language: str) -> None:
    html = render(Texts(language=language), "joining_instructions")
    text = re.sub(r"<[^>]*>", "", html).strip()
    assert text.splitlines()[-1] == f"Meeting reference: {TICKET}"
    for value in (
        "vc123456789@example.org",
        "123456789#",
        "https://meet.example.org/j/0123456789abcdef",
        "123456",
        "+49 30 1234567",
        "SIP: sip:vc123456789@example.org",
        "Lobby: dial 123456789",
        "Germany: +49 30 7654321",
        "Norway: +47 23 45 67 89",
    ):
        assert value in text
    for link in (
        "https://meet.example.org/j/0123456789abcdef",
        "sip:vc123456789@example.org",
        "tel:+49307654321,,123456789#",
        "tel:+4723456789,,123456789#",
    ):
        assert f'href="{link}"' in html
    assert re.search(
        r'<img src="https://meet\.example\.org/j/0123456789abcdef/qr\.png" width="\d+" height="\d+" alt="[^"]*QR', html
    )
    assert ">654321<" not in html
    assert "host" not in text.lower()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("absent", "tell"),
    [
        ({"phones": [], "phone": None}, ("tel:", "123456789#", "+49")),
        ({"dial": []}, ("sip:", "Lobby")),
        ({"pin": None}, ("PIN", "123456<")),
        ({"qr_url": None}, ("<img", "QR")),
    ],
    ids=["phones", "dial", "pin", "qr"],
)
def test_what_there_is_not_leaves_no_trace_in_the_instructions(
    language: str, absent: dict[str, object], tell: tuple[str, ...]
) -> None:
    html = render(Texts(language=language), "joining_instructions", **absent)
    plain = html.replace(TICKET, "")
    assert [word for word in tell if word in plain] == []
    full = render(Texts(language=language), "joining_instructions")
    assert all(word in full for word in tell)


def own_room(language: str, **changes: object) -> str:
    html = render(
        Texts(language=language), "personal_instructions", web_app_url="https://vc.example.org/ada", **changes
    )
    return re.sub(r"<[^>]*>", "", html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_of_a_personal_room_tells_one_pin_or_that_there_is_one(language: str) -> None:
    told = own_room(language, asks_pin=True)
    asked = own_room(language, pin=None, asks_pin=True)
    silent = own_room(language, pin=None, asks_pin=False)
    assert "123456\n" in told
    assert "PIN" in asked
    assert "123456\n" not in asked
    assert "PIN" not in silent
    assert told.strip().endswith(f"Meeting reference: {TICKET}")
    assert "https://vc.example.org/ada" in told


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_no_text_is_left_in_english(language: str) -> None:
    same = {"location", "room_subject", "personal_location", "personal_name", "personal_description"}
    english = Texts()
    for name in TEXTS.keys() - same:
        ours = render(Texts(language=language), name, subject="")
        words = set(re.findall(r"[a-z]{3,}", re.sub(r"<[^>]*>", " ", ours.lower())))
        assert ours != render(english, name, subject="")
        assert not words & {"room", "please", "the", "this", "booked", "telephone"}
        assert ours.lower().count("meeting") == ours.count("Meeting reference")


@pytest.mark.parametrize("code", ["nb", "nn", "nb-NO", "no"])
def test_norwegian_has_three_names(code: str) -> None:
    texts = Texts(language=code)
    assert texts.private_subject == "Privat møte"
    assert render(texts, "room_name", subject="") == "Møte (Ada Example)"


@pytest.mark.parametrize("language", LANGUAGES)
def test_instructions_with_nothing_but_a_room_are_short(language: str) -> None:
    names = {"alias", "numeric_alias", "join_url", "ticket"}
    html = Texts(language=language).render("joining_instructions", {name: VALUES[name] for name in names})
    assert len(re.sub(r"<[^>]*>", "", html).strip().splitlines()) == 5


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "half a minute"),
        (60, "a minute"),
        (90, "a minute and a half"),
        (120, "2 minutes"),
        (330, "6 minutes"),
        (None, ""),
    ],
)
def test_a_reply_says_about_how_long_the_room_takes(seconds: int | None, words: str) -> None:
    for name in ("accept_new_single", "accept_new_series", "accept_edited_single", "accept_edited_series"):
        text = re.sub(r"<[^>]*>", "", render(Texts(), name, ready_in=seconds))
        assert (f"The room can be dialled in about {words}." in text) == (seconds is not None)
        assert ("can be dialled" in text) == (seconds is not None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reply_tells_telephones_once(language: str) -> None:
    alone = render(Texts(language=language), "accept_new_single", instructions=None)
    assert alone.count("+49 30 7654321") == alone.count("+49 30 1234567") == 1
    with_instructions = render(Texts(language=language), "accept_new_single")
    assert "+49 30" not in with_instructions
    without = render(Texts(language=language), "accept_new_single", instructions=None, phones=None, phone=None)
    assert "tel:" not in without
    assert "123456789#" not in without


def test_entries_of_a_list_are_cleaned_and_escaped_and_have_no_other_fields(tmp_path: Path) -> None:
    hostile = {"label": "<b>\x00\u202e", "value": 'x"><script>', "link": "sip:x\x07"}
    html = render(Texts(), "joining_instructions", dial=[hostile])
    assert "<script>" not in html
    assert not set(html) & {"\x00", "\u202e", "\x07"}
    for wrong in (
        '{{ one["nmber"] }}',
        '{{ one["__class__"] }}',
        '{{ one["keys"]["x"] }}',
        "{{ one }}",
        "{{ phones }}",
    ):
        (tmp_path / "accept_new_single.html.j2").write_text("{% for one in phones %}" + wrong + "{% endfor %}")
        with pytest.raises(TemplateError):
            render(Texts(tmp_path), "accept_new_single")
    (tmp_path / "accept_new_single.html.j2").write_text('{% for one in phones %}{{ one["number"] }} {% endfor %}')
    assert render(Texts(tmp_path), "accept_new_single") == "+49 30 7654321 +47 23 45 67 89"


def test_the_host_pin_is_only_in_replies() -> None:
    assert "host_pin" not in TEXTS["joining_instructions"].variables
    assert "654321" in render(Texts(), "accept_new_single")


def test_values_are_escaped_in_html_and_instructions_are_not() -> None:
    text = render(Texts(), "accept_new_single", alias="<script>", join_url='x" onclick="')
    assert "<script>" not in text
    assert 'onclick="' not in text
    assert "<p>How to join</p>" in text


def test_a_private_subject_reaches_no_text_whatever_the_template(tmp_path: Path) -> None:
    (tmp_path / "room_name.txt.j2").write_text("{{ subject }} {% for c in subject %}{{ c }}{% endfor %}")
    for texts in (Texts(), Texts(tmp_path), Texts(language="de")):
        for name in ("room_name", "room_subject", "room_description", "alias_description"):
            assert "Budget" not in render(texts, name, private=True)
    assert render(Texts(), "room_name", private=True) == "Private meeting (Ada Example)"


def test_a_room_name_is_one_clean_line_of_at_most_250_characters() -> None:
    name = render(Texts(), "room_name", subject="A\r\nB\x00\x1b[31m\u202eC\u2066\u200f\ufeff \ud800", organizer_name="")
    assert name == "A B[31mC"
    assert len(render(Texts(), "room_name", subject="x" * 5000)) <= 250
    assert render(Texts(), "room_name", subject="") == "Meeting (Ada Example)"
    assert one_line("x" * 300, 250) == "x" * 249 + "…"


def test_a_file_of_the_folder_stands_in_for_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "de").mkdir()
    (tmp_path / "room_description.txt.j2").write_text("\ufeffüber {{ organizer_email }}", encoding="utf-8")
    (tmp_path / "de" / "room_description.txt.j2").write_text("von {{ organizer_email }}")
    assert render(Texts(tmp_path), "room_description") == "über ada@example.org"
    assert render(Texts(tmp_path, "de"), "room_description") == "von ada@example.org"
    assert render(Texts(tmp_path), "alias_description") == "Booked by ada@example.org"
    assert Texts(tmp_path).lint() == []


def test_an_unknown_language_speaks_english() -> None:
    assert render(Texts(language="pt-BR"), "room_description") == "Booked by ada@example.org"
    assert render(Texts(language="fr-CA"), "room_description") == "Réservée par ada@example.org"
    with pytest.raises(ValueError, match="language"):
        Texts(language="../../etc")


def test_lint_names_file_line_problem_and_what_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "accept_new_single.html.j2").write_text("<p>\n{{ ticket }}\n{{ alias|shout }}</p>")
    (tmp_path / "decline_error.html.j2").write_text("a\n{% if %}")
    (tmp_path / "room_name.txt.j2").write_text("x" * 12_289)
    (tmp_path / "room_subject.txt.j2").write_bytes(b"\xff\xfe")
    (tmp_path / "location.txt.j2").write_bytes(b"x" * 10**6)
    (tmp_path / "joining_instructions.html.j2").write_text("<p>{{ alias }}</p>")
    (tmp_path / "accept_single.html.j2").write_text("hello")
    problems = {(Path(p.file).name, p.line, p.problem) for p in Texts(tmp_path).lint()}
    assert ("accept_new_single.html.j2", 2, "unknown variable ticket") in problems
    assert ("accept_new_single.html.j2", 3, "unknown filter shout") in problems
    assert ("decline_error.html.j2", 2, "Expected an expression, got 'end of statement block'") in problems
    assert ("room_name.txt.j2", 1, "longer than 12288 characters") in problems
    assert ("location.txt.j2", 1, "longer than 12288 characters") in problems
    assert ("joining_instructions.html.j2", 1, "the variable ticket must be used") in problems
    assert ("accept_single.html.j2", 1, "unknown file name") in problems
    assert {name for name, _, _ in problems} >= {"room_subject.txt.j2"}
    assert all(p.allowed for p in Texts(tmp_path).lint() if p.problem.startswith("unknown"))


def test_a_wrong_text_raises_with_file_and_line_and_no_value(tmp_path: Path) -> None:
    (tmp_path / "room_name.txt.j2").write_text("\n{{ subject|round }}")
    (tmp_path / "room_subject.txt.j2").write_text("\n\n{{ subject|shout }}")
    texts = Texts(tmp_path)
    with pytest.raises(TemplateError) as error:
        render(texts, "room_name")
    assert (error.value.file, error.value.line) == (str(tmp_path / "room_name.txt.j2"), 2)
    assert "Budget" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__
    with pytest.raises(TemplateError, match="line 3: unknown filter shout"):
        render(texts, "room_subject")


def test_other_variables_than_the_table_says_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"numeric_alias"):
        Texts().render("location", {"alias": "a", "join_url": "b"})
    with pytest.raises(ValueError, match=r"secret"):
        Texts().render("location", {"alias": "a", "join_url": "b", "numeric_alias": "1", "secret": "x"})
    with pytest.raises(ValueError, match="no text"):
        Texts().render("nothing", {})


def test_every_variable_is_described_and_every_file_has_its_name() -> None:
    for name, kind in TEXTS.items():
        assert kind.purpose
        assert all(variable.description for variable in kind.variables.values())
        lists = [(variable, VALUES[key]) for key, variable in kind.variables.items() if variable.fields is not None]
        for variable, entries in lists:
            assert isinstance(entries, list)
            assert all(entry.keys() == (variable.fields or {}).keys() for entry in entries)
        assert file_name(name).startswith(name)
