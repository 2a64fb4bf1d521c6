"""Reports events to the bridge: `POST /csms/v1/events`, signed, in order per station, retried within bounds."""

import hashlib
import hmac
import logging
import queue
import random
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx

from tools.counterparts.clock import utc_now
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, write_json

LOGGER = logging.getLogger(__name__)

EVENTS_PATH = "/csms/v1/events"
# The doors answer in milliseconds; a cold start of the embedded AWS takes seconds.
REQUEST_SECONDS = 15.0
# About half a minute in all: longer than any restart in a test, short enough to show a door that stays shut.
ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 8.0
# Events of one station that pile up while the door is shut leave together, but not in a body without bounds.
EVENTS_PER_REQUEST = 20
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class EventDoor:
    """Where the bridge takes events: base URL of CsmsApi, the CSMS's id and secret, and the CA file of the server."""

    api_url: str
    csms_id: str
    secret: str = field(repr=False)
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class EventDelivery:
    """How a batch ended: the HTTP status of the last answer, or what kept it from coming."""

    at: datetime
    station_id: str
    events: tuple[JsonObject, ...]
    attempts: int
    status: int | None
    error: str | None = None

    @property
    def delivered(self) -> bool:
        """Whether the bridge took the events."""
        return self.status is not None and 200 <= self.status < 300


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of X-Signature: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>." and the body>`."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def trusting_client(ca_file: Path | None, timeout: float) -> httpx.Client:
    """An HTTP client that trusts one CA file (or the system's), follows no redirect and reads no environment."""
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    return httpx.Client(verify=context, timeout=timeout, trust_env=False, follow_redirects=False)


class EventReporter:
    """Delivers events at least once, in order per station; gives a batch up after `attempts` tries or on a 4xx.

    `deliveries` records how each batch ended. Each attempt has a fresh signature.
    """

    def __init__(self, door: EventDoor, *, attempts: int = ATTEMPTS) -> None:
        self.deliveries: Journal[EventDelivery] = Journal()
        self._door = door
        self._attempts = attempts
        self._client = trusting_client(door.ca_file, REQUEST_SECONDS)
        self._queues: dict[str, queue.SimpleQueue[JsonObject | None]] = {}
        self._workers: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._open = 0
        self._all_done = threading.Condition()
        self._stopping = threading.Event()

    def report(self, station_id: str, event: JsonObject) -> None:
        """Queue an event behind the station's earlier ones; returns at once."""
        with self._all_done:
            self._open += 1
        self._queue(station_id).put(event)

    def flush(self, timeout: float) -> bool:
        """Wait until every event is delivered or given up; whether that came true in time."""
        with self._all_done:
            return self._all_done.wait_for(lambda: self._open == 0, timeout)

    def stop(self) -> None:
        """Stop retrying and end; what is still queued is tried once more at most."""
        self._stopping.set()
        with self._lock:
            queues, workers = list(self._queues.values()), list(self._workers)
        for waiting in queues:
            waiting.put(None)
        for worker in workers:
            worker.join(REQUEST_SECONDS)
        self._client.close()

    def _queue(self, station_id: str) -> "queue.SimpleQueue[JsonObject | None]":
        with self._lock:
            known = self._queues.get(station_id)
            if known is None:
                known = self._queues[station_id] = queue.SimpleQueue()
                worker = threading.Thread(
                    target=self._work, args=(station_id, known), name=f"events-{station_id}", daemon=True
                )
                self._workers.append(worker)
                worker.start()
            return known

    def _work(self, station_id: str, waiting: "queue.SimpleQueue[JsonObject | None]") -> None:
        ended = False
        while not ended:
            first = waiting.get()
            if first is None:
                return
            batch = [first]
            while len(batch) < EVENTS_PER_REQUEST and not ended and not waiting.empty():
                event = waiting.get()
                ended = event is None
                if event is not None:
                    batch.append(event)
            self.deliveries.record(self._deliver(station_id, tuple(batch)))
            with self._all_done:
                self._open -= len(batch)
                self._all_done.notify_all()

    def _deliver(self, station_id: str, events: tuple[JsonObject, ...]) -> EventDelivery:
        body = write_json({"events": events}).encode()
        status: int | None = None
        error: str | None = None
        attempt = 0
        while attempt < self._attempts:
            attempt += 1
            status, error = self._post(body)
            if not _is_worth_a_retry(status) or attempt == self._attempts:
                break
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
            if self._stopping.wait(pause * random.uniform(0.5, 1)):
                break
        delivery = EventDelivery(utc_now(), station_id, events, attempt, status, error)
        if not delivery.delivered:
            LOGGER.warning("%d events of %s given up: %s", len(events), station_id, error or f"HTTP {status}")
        return delivery

    def _post(self, body: bytes) -> tuple[int | None, str | None]:
        headers = {
            "Content-Type": "application/json",
            "X-CSMS-Id": self._door.csms_id,
            "X-Signature": signature(self._door.secret, int(time.time()), body),
        }
        try:
            response = self._client.post(self._door.api_url.rstrip("/") + EVENTS_PATH, content=body, headers=headers)
        except httpx.TransportError as error:
            return None, f"{type(error).__name__}: {error}"
        return response.status_code, None


def _is_worth_a_retry(status: int | None) -> bool:
    return status is None or status == TOO_MANY_REQUESTS or status >= 500
