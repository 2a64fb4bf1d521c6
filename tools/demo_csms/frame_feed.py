"""Posts raw frames to subscribers as CitrineOS does: no credential, no retry, nobody waits for the answer."""

import logging
import queue
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, write_json
from tools.counterparts.ocpp_json import write_frame
from tools.demo_csms.event_reporter import trusting_client
from tools.demo_csms.records import Direction, RecordedFrame
from tools.demo_csms.subscriptions import Subscriptions

LOGGER = logging.getLogger(__name__)

# A cold start of the embedded AWS takes seconds.
POST_SECONDS = 15.0
ORIGINS = {Direction.FROM_STATION: "cs", Direction.TO_STATION: "csms"}


@dataclass(frozen=True, slots=True)
class FrameDelivery:
    """One post and its HTTP status, None where no answer came."""

    at: datetime
    station_id: str
    body: JsonObject
    status: int | None


class FeedingJournal(Journal[RecordedFrame]):
    """Records frames, and hands each on to a feed."""

    def __init__(self, feed: "FrameFeed") -> None:
        super().__init__()
        self._feed = feed

    def record(self, entry: RecordedFrame) -> None:
        """Append an entry, wake every waiter, and post it to whoever has subscribed."""
        super().record(entry)
        self._feed.framed(entry)


class FrameFeed:
    """Posts what happens at stations to their subscribers, in order per station. `deliveries` records each post."""

    def __init__(self, subscriptions: Subscriptions, ca_file: Path | None) -> None:
        self.deliveries: Journal[FrameDelivery] = Journal()
        self._subscriptions = subscriptions
        self._client = trusting_client(ca_file, POST_SECONDS)
        self._queues: dict[str, queue.SimpleQueue[tuple[str, JsonObject] | None]] = {}
        self._workers: list[threading.Thread] = []
        self._lock = threading.Lock()

    def connected(self, station_id: str) -> None:
        """A station has connected."""
        for one in self._subscriptions.of(station_id):
            if one.on_connect:
                self._post(station_id, one.url, {"stationId": station_id, "event": "connected"})

    def closed(self, station_id: str) -> None:
        """A station has lost its connection."""
        for one in self._subscriptions.of(station_id):
            if one.on_close:
                self._post(station_id, one.url, {"stationId": station_id, "event": "closed"})

    def framed(self, frame: RecordedFrame) -> None:
        """A frame has passed, in either direction."""
        text, origin = write_frame(frame.frame), ORIGINS[frame.direction]
        for one in self._subscriptions.of(frame.station_id):
            subscribed = one.on_message if frame.direction is Direction.FROM_STATION else one.sent_message
            if subscribed and one.wants(text):
                info = {
                    "correlationId": frame.frame.message_id,
                    "origin": origin,
                    "timestamp": write_datetime(frame.at),
                    "protocol": f"ocpp{frame.version}",
                    "action": frame.action,
                }
                post = {"stationId": frame.station_id, "event": "message", "origin": origin, "message": text}
                self._post(frame.station_id, one.url, {**post, "info": info})

    def stop(self) -> None:
        """End once everything that is queued was tried."""
        with self._lock:
            queues, workers = list(self._queues.values()), list(self._workers)
        for waiting in queues:
            waiting.put(None)
        for worker in workers:
            worker.join(POST_SECONDS)
        self._client.close()

    def _post(self, station_id: str, url: str, body: JsonObject) -> None:
        with self._lock:
            known = self._queues.get(station_id)
            if known is None:
                known = self._queues[station_id] = queue.SimpleQueue()
                worker = threading.Thread(
                    target=self._work, args=(station_id, known), name=f"frames-{station_id}", daemon=True
                )
                self._workers.append(worker)
                worker.start()
        known.put((url, body))

    def _work(self, station_id: str, waiting: "queue.SimpleQueue[tuple[str, JsonObject] | None]") -> None:
        while (post := waiting.get()) is not None:
            url, body = post
            self.deliveries.record(FrameDelivery(utc_now(), station_id, body, self._sent(url, body)))

    def _sent(self, url: str, body: JsonObject) -> int | None:
        headers = {"Content-Type": "application/json"}
        try:
            return self._client.post(url, content=write_json(body).encode(), headers=headers).status_code
        except httpx.TransportError as error:
            # The URL is a secret of the subscriber's.
            LOGGER.warning("a subscriber was not reached: %s", type(error).__name__)
            return None
