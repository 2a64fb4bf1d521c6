"""The partner as we call it: what it does with a message, and all that it was told."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from tests.support.clocks import ManualClock


class Manner(StrEnum):
    """What the partner's endpoint does with one message."""

    TAKES = "2xx and 1000"
    REFUSES = "2xx and 2001"
    FORGETS = "404"
    FAILS = "503"
    IS_BUSY = "429 with Retry-After"
    IS_LATE = "takes it, and the answer is lost"
    IS_AWAY = "no connection"


RECEIPTS: Mapping[Manner, Receipt] = {
    Manner.TAKES: Receipt(delivered=True, http_status=200, ocpi_status=1000),
    Manner.REFUSES: Receipt(delivered=False, error="ocpi_2001", final=True, http_status=200, ocpi_status=2001),
    Manner.FORGETS: Receipt(delivered=False, error="http_404", final=True, http_status=404),
    Manner.FAILS: Receipt(delivered=False, error="http_503", http_status=503),
    Manner.IS_BUSY: Receipt(delivered=False, error="http_429", http_status=429, retry_after=5),
    Manner.IS_LATE: Receipt(delivered=False, error="timeout"),
    Manner.IS_AWAY: Receipt(delivered=False, error="connect"),
}
_COURSE = (SessionStatus.RESERVATION, SessionStatus.PENDING, SessionStatus.ACTIVE, SessionStatus.COMPLETED)


@dataclass(frozen=True, slots=True)
class Told:
    """A message that reached the partner."""

    method: str
    url: str
    body: JsonObject
    at: datetime
    manner: Manner


class ModelPartner:
    """PartnerClient. `manners` says what is done with the next messages; all others are taken.

    `statuses` are the states of sessions as the partner knows them, `violations` what it should never have been told.
    `was_away`: some message did not reach it.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.manners: deque[Manner] = deque()
        self.told: list[Told] = []
        self.statuses: dict[str, SessionStatus] = {}
        self.violations: list[str] = []
        self.was_away = False
        self._clock = clock

    def send(self, partner: Partner, message: PartnerMessage, budget: float) -> Receipt:
        manner = self.manners.popleft() if self.manners else Manner.TAKES
        self.was_away |= manner is Manner.IS_AWAY
        if manner is not Manner.IS_AWAY:
            self.told.append(Told(message.method, message.url, message.body, self._clock.now(), manner))
        if manner in {Manner.TAKES, Manner.IS_LATE} and message.method != "POST" and "status" in message.body:
            self._learns(message.url, SessionStatus(str(message.body["status"])))
        return RECEIPTS[manner]

    def results(self, url: str) -> list[Told]:
        """The results that were posted to a response_url."""
        return [one for one in self.told if one.method == "POST" and one.url == url]

    def active_profiles(self) -> list[Told]:
        return [one for one in self.told if one.method == "PUT" and "/chargingprofiles/" in one.url]

    def _learns(self, url: str, status: SessionStatus) -> None:
        known = self.statuses.get(url)
        if known is not None and _COURSE.index(status) < _COURSE.index(known):
            self.violations.append(f"the session went from {known} to {status}")
        self.statuses[url] = status
