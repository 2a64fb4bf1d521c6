"""The line to a partner: calls that push go over it, and a partner that answers nothing is not called for a while.

A call that runs into its time holds a worker for all of it, and many such calls hold all workers that there are. So the
first one notes the silence beside the partner's entry, which each push reads anyway. After it one call finds out how it
is. Whatever the partner answers then, a refusal too, ends the silence: who answers holds nobody.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from ocpi_bridge.domain.partners import Partner, Silence
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.partners import PartnerClient, PartnerMessage, Receipt
from ocpi_bridge.ports.silences import SilenceStore

# Seconds. With a PATCH, a PUT and a profile after it, a step still fits into the worker's 30 s.
PUSH_BUDGET = 8.0
# Who finds out is given a little more than a call takes; if it dies meanwhile, the next one does.
PROBE_FOR = timedelta(seconds=PUSH_BUDGET + 4)
# Until the next call finds out. Long beside the time of a call, so that few workers wait; short for a partner's restart.
SILENT_FOR = timedelta(seconds=30)
# What is held back for long is looked at again after so much of its age, and at the latest after MOST_PATIENCE.
SHARE_OF_AGE = 4
MOST_PATIENCE = timedelta(minutes=15)


class LineEvent(StrEnum):
    """What a step learned of a partner, for logs."""

    FELL_SILENT = "fell_silent"
    ANSWERS = "answers"


class PartnerLine:
    """The line to one partner during one step. `events` are what was learned of it, in their order."""

    def __init__(
        self, partner_id: str, silence: Silence | None, client: PartnerClient, store: SilenceStore, clock: Clock
    ) -> None:
        self._partner_id = partner_id
        self._silence = silence
        self._client = client
        self._store = store
        self._clock = clock
        self._probing = False
        self.events: list[LineEvent] = []

    @property
    def silent_until(self) -> datetime | None:
        """The end of the silence as far as it is known; None while the partner answers. Unlike `closed_until` it asks nobody."""
        return None if self._silence is None else self._silence.until

    def closed_until(self) -> datetime | None:
        """When the partner may be called again; None: now. To be asked before each call. Raises Contended.

        Who is the first to ask after a silence makes the call that finds out; the others wait for its end.
        """
        if self._silence is None or self._probing:
            return None
        now = self._clock.now()
        if self._silence.until <= now:
            before, self._silence = self._silence, Silence(self._silence.since, now + PROBE_FOR)
            self._probing = self._store.move_silence(self._partner_id, before, self._silence.until)
            if self._probing:
                return None
        return self._silence.until

    def send(self, partner: Partner, message: PartnerMessage) -> Receipt:
        """Calls the partner, where the line is not closed. Raises Contended, and nothing for what the partner does."""
        receipt = self._client.send(partner, message, budget=PUSH_BUDGET)
        if receipt.timed_out:
            self._falls_silent(self._clock.now())
        elif self._probing and self._silence is not None:
            if self._store.end_silence(self._partner_id, self._silence):
                self.events.append(LineEvent.ANSWERS)
            self._silence, self._probing = None, False
        return receipt

    def _falls_silent(self, now: datetime) -> None:
        until = now + SILENT_FOR
        if self._probing and self._silence is not None:
            self._store.move_silence(self._partner_id, self._silence, until)
            self._silence = Silence(self._silence.since, until)
        else:
            self._silence = Silence(now, until)
            if self._store.begin_silence(self._partner_id, self._silence):
                self.events.append(LineEvent.FELL_SILENT)
        self._probing = False


@dataclass(frozen=True, slots=True)
class PartnerLines:
    """Opens the line for each step."""

    client: PartnerClient
    store: SilenceStore
    clock: Clock

    def open(self, partner_id: str, silence: Silence | None) -> PartnerLine:
        """The line to a partner whose silence was just read."""
        return PartnerLine(partner_id, silence, self.client, self.store, self.clock)


def look_again_at(until: datetime, news_of: datetime, now: datetime) -> datetime:
    """When news of an instant, held back until another one, is looked at again if nothing else happens.

    The older the news, the later: a partner that is away for days must not fill each sweep with what it is owed.
    """
    return max(until, now + min((now - news_of) / SHARE_OF_AGE, MOST_PATIENCE))
