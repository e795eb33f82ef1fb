import pytest

from greenroom.simulator.errors import NoSuchFolder, NoSuchItem, NoSuchMailbox
from support.box import ANN, AUTO, BOB, OUTSIDE, Box


@pytest.mark.parametrize(
    "form",
    ["ann@box.test", "ANN@BOX.TEST", "a.archer@box.test", "/O=BOX/CN=ann", "EX:/o=Box/cn=ann", "smtp:ann@box.test"],
)
def test_a_mailbox_is_found_by_all_its_names(form: str) -> None:
    found = Box().exchange.find_mailbox(form)
    assert found is not None
    assert found.address == ANN


def test_every_mailbox_has_an_x500_name() -> None:
    box = Box()
    bob = box.exchange.mailbox(BOB)
    assert box.exchange.mailbox(bob.x500) is bob


def test_an_address_cannot_be_given_twice() -> None:
    box = Box()
    with pytest.raises(ValueError, match="taken"):
        box.exchange.add_mailbox("new@box.test", "New", aliases=["A.Archer@box.test"])


def test_unknown_mailboxes_folders_and_items_are_refused() -> None:
    box = Box()
    with pytest.raises(NoSuchMailbox):
        box.exchange.items(OUTSIDE, "inbox")
    with pytest.raises(NoSuchFolder):
        box.exchange.items(ANN, "holidays")
    with pytest.raises(NoSuchFolder):
        box.exchange.items(ANN, box.exchange.folder(BOB, "inbox").id)
    with pytest.raises(NoSuchItem):
        box.exchange.get(ANN, "AAAA")


def test_logins_tell_right_from_wrong_passwords() -> None:
    box = Box()
    account = box.exchange.authenticate("ANN@box.test", "ann-pw")
    assert account is not None
    assert account.mailbox == ANN
    assert box.exchange.authenticate(ANN, "wrong") is None
    assert box.exchange.authenticate("nobody", "ann-pw") is None


def test_a_token_stands_for_a_login() -> None:
    box = Box()
    box.exchange.add_account("svc@box.test", "pw")
    box.exchange.add_token("t-1", "svc@box.test")
    account = box.exchange.authenticate_token("t-1")
    assert account is not None
    assert (account.login, account.mailbox) == ("svc@box.test", None)
    assert box.exchange.authenticate_token("t-2") is None


def test_impersonation_reaches_as_far_as_its_scope() -> None:
    box = Box()
    box.exchange.add_account("svc", "pw")
    assert not box.exchange.may_impersonate("svc", AUTO)
    box.exchange.grant_impersonation("svc", [AUTO])
    assert box.exchange.may_impersonate("SVC", AUTO)
    assert not box.exchange.may_impersonate("svc", ANN)
    box.exchange.grant_impersonation("svc", None)
    assert box.exchange.may_impersonate("svc", "/o=Box/cn=ann")
    assert not box.exchange.may_impersonate("svc", OUTSIDE)
    box.exchange.revoke_impersonation("svc")
    assert not box.exchange.may_impersonate("svc", AUTO)


def test_names_are_resolved_by_the_beginning_of_a_word() -> None:
    box = Box()
    assert [one.address for one in box.exchange.resolve_names("arch")] == [ANN]
    assert [one.name for one in box.exchange.resolve_names("room")] == ["Room None", "Room Auto", "Room Accept"]
    assert [one.address for one in box.exchange.resolve_names("/o=box/cn=ANN")] == [ANN]
    assert box.exchange.resolve_names("zzz") == []
    assert box.exchange.resolve_names("") == []


def test_ids_tell_their_mailbox() -> None:
    box = Box()
    item = box.invite(send="SendToNone")
    assert box.exchange.owner_of_item(item.id) == ANN
    assert box.exchange.owner_of_folder(box.exchange.folder(BOB, "calendar").id) == BOB
    assert box.exchange.owner_of_item("no id at all") is None
    assert len({folder.id for one in box.exchange.mailboxes() for folder in box.exchange.folders(one.address)}) == 45
