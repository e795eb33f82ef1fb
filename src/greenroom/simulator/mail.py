"""Plain mail (EWS CreateItem of a Message)."""

from dataclasses import replace

from greenroom.simulator import transport
from greenroom.simulator.envelope import MAX_SUBJECT
from greenroom.simulator.errors import InvalidOperation
from greenroom.simulator.model import Body, Disposition, Message, MessageDraft, Person
from greenroom.simulator.organizer import merge_extended
from greenroom.simulator.site import Site
from greenroom.simulator.store import MailboxStore


def create(site: Site, store: MailboxStore, draft: MessageDraft, disposition: Disposition) -> Message | None:
    """See Exchange.create_message."""
    sends = disposition != "SaveOnly"
    to, cc = draft.get("to", ()), draft.get("cc", ())
    if sends and not (to or cc):
        raise InvalidOperation("ErrorInvalidRecipients", "a mail needs a recipient")
    me = Person(store.owner.address, store.owner.name)
    message = Message(
        **site.base_fields(store, "sentitems" if sends else "drafts"),
        item_class="IPM.Note",
        subject=draft.get("subject", "")[:MAX_SUBJECT],
        body=draft.get("body", Body()),
        sensitivity=draft.get("sensitivity", "Normal"),
        importance=draft.get("importance", "Normal"),
        is_draft=not sends,
        sender=me,
        author=me,
        to=tuple(site.directory.smtp(one) for one in to),
        cc=tuple(site.directory.smtp(one) for one in cc),
    )
    merge_extended(message, draft.get("extended", {}).items())
    if sends:
        transport.send_plain(site, replace(message, author=store.owner.person, extended={}))
    if disposition == "SendOnly":
        return None
    store.add(message)
    return message
