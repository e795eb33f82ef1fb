import hmac
import random
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from greenroom.meetings import crockford
from greenroom.meetings.ticket import KeyRing, Ticket, TicketFault
from greenroom.meetings.ticket_finder import find_tickets, locate_tickets
from support.mangling import mangled

KEYS = {3: bytes(range(32)), 9: bytes(range(50, 90))}
RING = KeyRing("GRM", 7, KEYS)
ISSUED = datetime(2026, 8, 1, 9, 30, tzinfo=UTC)
TICKET = RING.issue(123456789, ISSUED, options=3)


def test_a_ticket_says_what_was_issued() -> None:
    assert RING.verify(TICKET) == Ticket(7, 123456789, 3, ISSUED, 3)
    assert re.fullmatch(r"GRM(-[0-9A-HJKMNP-TV-Z]{5}){8}", TICKET)


@given(
    st.integers(0, 10**15 - 1),
    st.integers(0, 3),
    st.integers(0, 2**32 - 1),
    st.integers(0, 65535),
    st.integers(0, 15),
)
def test_every_reservation_survives_its_ticket(
    number: int, options: int, at: int, integration: int, key_id: int
) -> None:
    ring = KeyRing("VC2", integration, {key_id: b"k" * 32})
    issued = datetime.fromtimestamp(at, UTC)
    assert ring.verify(ring.issue(number, issued, options)) == Ticket(integration, number, options, issued, key_id)


def test_the_same_reservation_gives_the_same_ticket_and_fractions_of_seconds_are_dropped() -> None:
    assert RING.issue(123456789, ISSUED + timedelta(microseconds=999999), 3) == TICKET


def test_a_rotated_key_still_verifies_and_a_removed_one_does_not() -> None:
    rotated = KeyRing("GRM", 7, KEYS, current=9)
    assert rotated.current == 9
    assert isinstance(rotated.verify(TICKET), Ticket)
    assert RING.verify(rotated.issue(1, ISSUED)) == Ticket(7, 1, 0, ISSUED, 9)
    assert KeyRing("GRM", 7, {9: KEYS[9]}).verify(TICKET) is TicketFault.FOREIGN


def test_a_ticket_of_another_integration_or_another_installation_is_foreign() -> None:
    assert KeyRing("GRM", 8, KEYS).verify(TICKET) is TicketFault.FOREIGN
    assert KeyRing("GRM", 7, {3: b"x" * 32}).verify(TICKET) is TicketFault.FOREIGN
    assert KeyRing("GRM", 7, {4: b"x" * 32}).verify(TICKET) is TicketFault.FOREIGN


@pytest.mark.parametrize("place", [5, 10, 12, 24], ids=["number", "options", "time", "mac"])
def test_a_changed_ticket_with_the_print_of_our_key_is_forged(place: int) -> None:
    data = bytearray(crockford.decode(TICKET[4:].replace("-", "")))
    data[place] ^= 1
    assert RING.verify("GRM" + crockford.encode(bytes(data))) is TicketFault.FORGED


def test_a_made_up_ticket_with_a_key_id_that_we_do_not_hold_is_forged_if_it_has_a_print_of_ours() -> None:
    data = bytearray(crockford.decode(TICKET[4:].replace("-", "")))
    data[0] = 1 << 4 | 5
    assert RING.verify("GRM" + crockford.encode(bytes(data))) is TicketFault.FORGED


def test_a_ticket_of_the_first_versions_has_no_print_and_is_judged_as_then() -> None:
    old = _without_print(RING, TICKET)
    assert RING.verify(old) == RING.verify(TICKET)
    assert KeyRing("GRM", 7, {3: b"x" * 32}).verify(old) is TicketFault.FORGED
    assert KeyRing("GRM", 7, {9: KEYS[9]}).verify(old) is TicketFault.FORGED
    assert KeyRing("GRM", 8, KEYS).verify(old) is TicketFault.FOREIGN


def _without_print(ring: KeyRing, ticket: str) -> str:
    body = bytearray(crockford.decode(ticket[4:].replace("-", ""))[:15])
    body[10] &= 3
    mac = hmac.digest(ring.secret(body[0] & 15, "ticket"), b"GRM\0" + bytes(body), "sha256")[:10]
    return "GRM" + crockford.encode(bytes(body) + mac)


def test_the_print_follows_from_the_key_and_is_never_zero() -> None:
    prints = []
    for n in range(500):
        ticket = KeyRing("GRM", 7, {3: n.to_bytes(32, "big")}).issue(123456789, ISSUED, 3)
        flags = crockford.decode(ticket[4:].replace("-", ""))[10]
        assert flags & 3 == 3
        prints.append(flags >> 2)
    assert set(prints) == set(range(1, 64))


def test_a_ticket_of_another_version_is_foreign() -> None:
    data = bytearray(crockford.decode(TICKET[4:].replace("-", "")))
    data[0] = 2 << 4 | 3
    assert RING.verify("GRM" + crockford.encode(bytes(data))) is TicketFault.FOREIGN


def test_the_prefix_is_part_of_what_is_signed() -> None:
    assert KeyRing("MRG", 7, KEYS).verify(TICKET.replace("GRM", "MRG")) is TicketFault.FORGED


@pytest.mark.parametrize(
    "text", ["", "GRM", "GRM-", TICKET[:-1], TICKET + "0", "XRM" + TICKET[3:], TICKET[:-1] + "U", "G" * 10**6]
)
def test_what_is_no_ticket_is_malformed(text: str) -> None:
    assert RING.verify(text) is TicketFault.MALFORMED


def test_retyped_lookalikes_are_the_same_ticket() -> None:
    assert RING.verify(TICKET.lower().replace("0", "o").replace("1", "l").replace("-", "")) == RING.verify(TICKET)


@pytest.mark.parametrize(
    ("prefix", "integration", "keys", "current"),
    [
        ("", 1, KEYS, None),
        ("G", 1, KEYS, None),
        ("2GRM", 1, KEYS, None),
        ("GRM-", 1, KEYS, None),
        ("GRMGRMGRM", 1, KEYS, None),
        ("GRÄ", 1, KEYS, None),
        ("GRM", -1, KEYS, None),
        ("GRM", 65536, KEYS, None),
        ("GRM", 1, {}, None),
        ("GRM", 1, {16: b"k" * 32}, None),
        ("GRM", 1, {0: b"k" * 31}, None),
        ("GRM", 1, KEYS, 4),
    ],
)
def test_a_key_ring_refuses_what_it_cannot_use(
    prefix: str, integration: int, keys: dict[int, bytes], current: int | None
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        KeyRing(prefix, integration, keys, current)


@pytest.mark.parametrize(
    ("number", "options", "at"),
    [(-1, 0, ISSUED), (10**15, 0, ISSUED), (1, 4, ISSUED), (1, -1, ISSUED), (1, 0, ISSUED.replace(tzinfo=None))],
)
def test_a_reservation_out_of_bounds_gets_no_ticket(number: int, options: int, at: datetime) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        RING.issue(number, at, options)


def test_purposes_integrations_and_keys_have_secrets_of_their_own() -> None:
    rings = [RING, KeyRing("GRM", 8, KEYS)]
    secrets = {
        ring.secret(key_id, purpose) for ring in rings for key_id in KEYS for purpose in ("ticket", "pin", "join")
    }
    assert len(secrets) == 12
    assert all(len(secret) == 32 for secret in secrets)
    with pytest.raises(KeyError):
        RING.secret(4, "pin")


def test_a_key_ring_shows_no_key() -> None:
    assert repr(RING) == "KeyRing('GRM', 7, ids=[3, 9])"


# Finding ---------------------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(mangled(TICKET))
def test_a_ticket_is_found_whatever_a_mail_client_did_to_it(text: str) -> None:
    assert TICKET in find_tickets(text, "GRM"), ascii(text)
    assert RING.read(text) == RING.verify(TICKET)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(mangled(TICKET))
def test_a_ticket_is_found_whatever_a_thousand_mail_clients_did_to_it(text: str) -> None:
    assert TICKET in find_tickets(text, "GRM"), ascii(text)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_a_ticket_between_any_two_texts_is_found(before: str, after: str) -> None:
    assume(not re.search(r"[<=&][^>;\s]*\Z", before))
    assert TICKET in find_tickets(f"{before} {TICKET} {after}", "grm")


@pytest.mark.parametrize("prefix", ["VC", "LOIO", "ROOMS123", "IL"])
def test_prefixes_of_lookalikes_are_found_too(prefix: str) -> None:
    ticket = KeyRing(prefix, 7, KEYS).issue(5, ISSUED)
    text = "\u200b".join(ticket).replace("O", "0").lower()
    assert find_tickets(f"x {text} y", prefix) == [ticket]


def test_tickets_come_in_order_once_each_and_with_their_places() -> None:
    others = [RING.issue(n, ISSUED) for n in (5, 6)]
    text = f"<p>{others[1]}</p>{TICKET}, {others[0]}\n{TICKET.lower()}"
    assert find_tickets(text, "GRM") == [others[1], TICKET, others[0]]
    assert [text[f.start : f.end].upper() for f in locate_tickets(text, "GRM")] == [
        others[1],
        TICKET,
        others[0],
        TICKET,
    ]


def test_at_most_64_tickets_are_found() -> None:
    assert len(find_tickets(" ".join(RING.issue(n, ISSUED) for n in range(100)), "GRM")) == 64


def test_what_follows_a_ticket_is_not_part_of_it() -> None:
    for after in ("123", "Phone: 5", "<br>AAAA", "-ABCDE", "&nbsp;Z"):
        assert find_tickets(TICKET + after, "GRM") == [TICKET]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GRM",
        "GRM-2 people will join from the main office and then all go there together at noon",
        "Program 2 starts at the main hall, all persons with badges go right in there",
        "meeting room GRM 204 is near the stairs and the red door on the left hand side of it",
        "GRM-Internationalisation workshop",
        "Reading RM-204",
        "GRM-1234",
    ],
)
def test_prose_is_no_ticket(text: str) -> None:
    assert find_tickets(text, "GRM") == []
    assert RING.read(text) is None


def test_a_torn_ticket_is_still_seen_as_one() -> None:
    assert RING.read(f"<p>{TICKET[:40]}</p>") is TicketFault.MALFORMED
    assert RING.read(TICKET[:-2] + ("AB" if TICKET[-2:] != "AB" else "CD")) is TicketFault.FORGED
    assert KeyRing("GRM", 8, KEYS).read(TICKET) is TicketFault.FOREIGN


def test_a_genuine_ticket_counts_before_all_faults_and_the_gravest_fault_before_others() -> None:
    forged = TICKET[:-2] + ("AB" if TICKET[-2:] != "AB" else "CD")
    foreign = KeyRing("GRM", 8, KEYS).issue(1, ISSUED)
    assert RING.read(f"{forged} {foreign} {TICKET}") == RING.verify(TICKET)
    assert RING.read(f"{foreign} {forged} {foreign}") is TicketFault.FORGED


# Forging ---------------------------------------------------------------------------------------------------------------------


def _fuzz(count: int, seed: int) -> None:
    dice = random.Random(seed)
    genuine = crockford.fold(TICKET).replace("-", "")
    data = crockford.decode(genuine[3:])
    accepted = 0
    for i in range(count):
        match i % 5:
            case 0:
                bits = int.from_bytes(data, "big")
                for _ in range(dice.randint(1, 3)):
                    bits ^= 1 << dice.randrange(200)
                text = "GRM" + crockford.encode(bits.to_bytes(25, "big"))
            case 1:
                place = dice.randrange(3, 43)
                text = genuine[:place] + dice.choice(crockford.ALPHABET) + genuine[place + 1 :]
            case 2:
                text = genuine[: dice.randrange(43)] + "".join(dice.choices(crockford.ALPHABET, k=dice.randrange(6)))
            case 3:
                text = "GRM" + crockford.encode(data[:15] + dice.randbytes(10))
            case _:
                text = "GRM" + crockford.encode(dice.randbytes(25))
        if crockford.fold(text) != genuine:
            accepted += isinstance(RING.verify(text), Ticket)
    assert accepted == 0


def test_of_a_hundred_thousand_fuzzed_tickets_none_is_accepted() -> None:
    _fuzz(100_000, 1)


@pytest.mark.slow
def test_of_a_million_fuzzed_tickets_none_is_accepted() -> None:
    _fuzz(1_000_000, 2)


# Hostile text ----------------------------------------------------------------------------------------------------------------

MEGABYTE = 10**6
HOSTILE = {
    unit[:24]: unit * (MEGABYTE // len(unit))
    for unit in (
        *("<", ">", "&", "&;", "-", "=", "G", "\u200b", " ", "\n", "<!--", "<!-- -->", "<b>", "<!", "<a '", '<a "'),
        *(
            "GRM",
            "GRM-",
            "GRM-2",
            "G\u200b",
            "GR\u200b",
            "G<",
            "G<>",
            "G&",
            "G=",
            "G\n",
            "GR<b>",
            "GRM<",
            "GRM&",
            "GRM?",
            "GRM=",
            "G😀",
        ),
        *(
            "GRM-2" + "<>" * 200,
            "GRM-2<" + "a" * 300 + ">",
            "GRM-2" * 9 + "<b>" * 1500,
            "GRM-<!-" + "-x" * 2000,
            "GRM-2" + '<a "' * 80,
        ),
        *(
            "GRM-2" + "&shy;" * 800,
            "GRM-" + " " * 4000,
            "GRM-2<!--" + ">" * 4000,
            "GRM-2<a " + "\"'" * 2000,
            TICKET,
            TICKET[:-1],
        ),
    )
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_hostile_text_takes_no_time(name: str) -> None:
    best = 9.0
    for _ in range(5):
        begin = time.process_time()
        find_tickets(HOSTILE[name], "GRM")
        best = min(best, time.process_time() - begin)
        if best < 0.02:
            break
    # The bench shows under 20 ms; the limit here leaves room for a slow or busy machine.
    assert best < 0.1
