"""One unit of work: all repositories over one connection and one transaction."""

from greenroom.storage.alarms import Alarms
from greenroom.storage.asked import Asked
from greenroom.storage.drifts import Drifts
from greenroom.storage.facts import Facts
from greenroom.storage.fed_rooms import FedRooms
from greenroom.storage.housing import Housing
from greenroom.storage.journal import Journal
from greenroom.storage.key_use import KeyUses
from greenroom.storage.mailboxes import Mailboxes
from greenroom.storage.manifests import Manifests
from greenroom.storage.meetings import Meetings
from greenroom.storage.refusals import Refusals
from greenroom.storage.reservations import Reservations
from greenroom.storage.rooms import Rooms
from greenroom.storage.routes import Routes
from greenroom.storage.session import Session
from greenroom.storage.sign_ins import SignIns


class Work:
    """What can be read and written within a transaction. It comes from `Storage.work()`, which commits at its exit."""

    def __init__(self, session: Session) -> None:
        self.mailboxes = Mailboxes(session)
        self.meetings = Meetings(session)
        self.reservations = Reservations(session)
        self.asked = Asked(session)
        self.refusals = Refusals(session)
        self.manifests = Manifests(session)
        self.routes = Routes(session)
        self.rooms = Rooms(session)
        self.fed_rooms = FedRooms(session)
        self.journal = Journal(session)
        self.alarms = Alarms(session)
        self.drifts = Drifts(session)
        self.facts = Facts(session)
        self.key_uses = KeyUses(session)
        self.housing = Housing(session)
        self.sign_ins = SignIns(session)
