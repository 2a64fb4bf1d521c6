"""The partner's requests: PUT, GET and DELETE on all sessions, as fast as their results come back."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import takewhile
from random import Random

from tools.counterparts.clock import utc_now
from tools.partner_simulator import BridgeClient, BridgeUnreachableError, Exchange, watt_profile
from tools.prove.partner_faults import PartnerFaults

# Each is a process of the function behind the API, so more only make them wait for each other.
AT_ONCE = 3
# So many of the newest results may be missing: beyond, the queues of the embedded AWS would grow longer than the timeout.
# Older ones wait for a sweep or for their deadline, and for no queue.
UNANSWERED_AT_MOST = 10
NEW_SECONDS = 20.0
LOOK_SECONDS = 0.05
# 22 kW and below, above the 6 A per phase that a car needs.
LEAST_W, RANGE_W = 5000, 15000
# Seconds that a GET asks for.
DURATION = 900
# Of a hundred requests: PUT, GET; the rest DELETE.
PUTS, GETS = 50, 28
# One request in so many names a response URL that is not the partner's.
FOREIGN_EVERY = 50


@dataclass(frozen=True, slots=True)
class Load:
    """Sends requests of the partner, so many `at_once`, and none while too many of the newest are unanswered.

    `forbidden_url` is an address that is not the partner's, which some requests name; None: none does.
    """

    bridge: BridgeClient
    faults: PartnerFaults
    sessions: Sequence[str]
    forbidden_url: str | None
    random: Random
    at_once: int = AT_ONCE
    unanswered_at_most: int = UNANSWERED_AT_MOST

    def send(self, count: int, say: Callable[[str], None], *, spread: float = 0.0) -> list[Exchange]:
        """Sends so many requests, over so many seconds at least, and returns those that were answered."""
        exchanges: list[Exchange] = []
        lock = threading.Lock()
        calls = [(number, self._call(number)) for number in range(count)]
        started = time.monotonic()

        def send(numbered: tuple[int, Callable[[], Exchange]]) -> None:
            number, call = numbered
            at = started + spread * number / count
            while time.monotonic() < at or self._unanswered(exchanges, lock) >= self.unanswered_at_most:
                time.sleep(LOOK_SECONDS)
            try:
                exchange = call()
            except BridgeUnreachableError:
                # Whoever gets no answer knows nothing, and nothing was promised.
                return
            with lock:
                exchanges.append(exchange)
                sent = len(exchanges)
            say(f"{sent} of {count} requests sent")

        with ThreadPoolExecutor(self.at_once) as pool:
            for _ in pool.map(send, calls):
                pass
        return exchanges

    def _call(self, number: int) -> Callable[[], Exchange]:
        session, lot = self.random.choice(self.sessions), self.random.randrange(100)
        limit = Decimal(LEAST_W + self.random.randrange(RANGE_W))
        foreign = self.forbidden_url if number % FOREIGN_EVERY == FOREIGN_EVERY - 1 else None
        course = () if foreign else self.faults.next_course()

        def call() -> Exchange:
            url = foreign or self.bridge.new_response_url()
            if foreign is None:
                self.faults.expect(url, course)
            if lot < PUTS:
                profile = watt_profile([(0, limit)], start=utc_now())
                return self.bridge.put_profile(session, profile, response_url=url)
            if lot < PUTS + GETS:
                return self.bridge.get_active_profile(session, DURATION, response_url=url)
            return self.bridge.delete_profile(session, response_url=url)

        return call

    def _unanswered(self, exchanges: list[Exchange], lock: threading.Lock) -> int:
        with lock:
            known = list(exchanges)
        since = utc_now() - timedelta(seconds=NEW_SECONDS)
        newest = takewhile(lambda one: one.sent_at > since, reversed(known))
        return sum(one.is_accepted and not self.faults.attempts(one.response_url or "") for one in newest)
