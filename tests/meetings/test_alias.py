import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.alias import Alias, AliasPlan, join_id, pin

SECRET = b"s" * 32
plans = st.builds(AliasPlan, st.text("abc019", max_size=8), st.integers(5, 15), st.sampled_from(["", "example.org"]))


def test_an_alias_is_prefix_number_and_domain() -> None:
    assert AliasPlan("vc8", 9, "example.org").alias(1234) == Alias(1234, "vc8000001234@example.org", "8000001234")
    assert AliasPlan().alias(5) == Alias(5, "000000005", "000000005")


@given(plans)
def test_a_drawn_alias_has_all_its_digits_and_is_given_back_by_its_number(plan: AliasPlan) -> None:
    alias = plan.draw()
    assert len(str(alias.number)) == plan.digits
    assert plan.alias(alias.number) == alias
    assert alias.numeric.isdigit()


@pytest.mark.parametrize("number", [-1, 10**15])
def test_a_number_that_no_plan_draws_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="15 digits"):
        AliasPlan(digits=5).alias(number)


def test_an_alias_stays_what_it_was_when_fewer_digits_are_drawn_later() -> None:
    assert AliasPlan("vc", 5).alias(123456789) == AliasPlan("vc", 9).alias(123456789)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 10**15 - 1))
def test_pins_have_six_digits_and_host_and_guest_differ(secret: bytes, number: int) -> None:
    alias = AliasPlan(digits=15).alias(number)
    host, guest = pin(secret, alias, "host"), pin(secret, alias, "guest")
    assert host != guest
    assert all(len(p) == 6 and p.isdigit() for p in (host, guest))
    assert pin(secret, alias, "host") == host


def test_pins_and_join_ids_depend_on_the_number_and_the_secret_alone() -> None:
    plans = [AliasPlan("a", 9, "x.org"), AliasPlan("b", 10)]
    assert len({pin(SECRET, plan.alias(7), "host") for plan in plans}) == 1
    assert len({join_id(SECRET, plan.alias(7)) for plan in plans}) == 1
    assert len({join_id(s, plans[0].alias(n)) for s in (SECRET, b"t" * 32) for n in range(500)}) == 1000


def test_equal_pins_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.meetings.alias._pin", lambda *_: "999999")
    alias = AliasPlan().alias(1)
    assert pin(SECRET, alias, "host") == "999999"
    assert pin(SECRET, alias, "guest") == "000000"


def test_pins_are_spread_evenly() -> None:
    firsts = [pin(SECRET, AliasPlan().alias(n), "host")[0] for n in range(5000)]
    assert all(400 < firsts.count(str(d)) < 600 for d in range(10))


def test_a_join_id_is_sixteen_characters_that_need_no_escaping() -> None:
    text = join_id(SECRET, AliasPlan().alias(1))
    assert len(text) == 16
    assert set(text) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_the_plan_knows_its_own_aliases_in_capitals_or_not_and_no_others() -> None:
    plan = AliasPlan("Meet", 9, "video.example")
    assert plan.number_of(["000000042", "meet000000042@VIDEO.example"]) == 42
    for other in (
        "meet42@video.example",
        "meet000000042",
        "meet000000042@other.example",
        "room000000042@video.example",
    ):
        assert plan.number_of([other]) is None
    assert (
        plan.number_of(["meet\u0660@video.example", "meet" + "9" * 16 + "@video.example", "meet@video.example", ""])
        is None
    )
    assert AliasPlan(digits=9).number_of(["meet", "123456789"]) == 123456789
