"""Items of the sessions table: keys, and items to and from domain objects.

| pk                                          | sk               | entity      |                                     |
|---------------------------------------------|------------------|-------------|-------------------------------------|
| SESSION#{id, case folded}                   | SESSION          | session     | the session                         |
|                                             | VIEW#{partner}   | view        | its place in another partner's feed |
|                                             | CONTROL          | control     | numbers, rates, installed plan      |
|                                             | PERIOD#{index}   | period      | one closed charging period          |
|                                             | PUSHED#{partner} | pushed      | what the partner last acknowledged  |
|                                             | PREFERENCES      | preferences | the driver's newest wishes          |
| STATION#{csms}#{station}          | TRANSACTION#{transaction} | transaction | its newest session, the former one  |
|                                             | LIVE#{session}   | live        | a session that is not over          |
|                                             | CAR#{place}      | car         | its newest session, and since when  |
| PERSON#{kind}#{hash}                        | {session_id}     | person      | a session of the person (persons)   |

A session stands in the feed of each partner that sees it (index `feed`: partner and shard, by last update), and in the
list of its live sessions until it is over (index `live`). A session that is over without its end from some instant on
stands in the index `due` until then; one that is over stands there, in a partition of its own, until the sweep has seen
that everybody knows. The session's own item carries the attributes for the first
of these partners, by id: most sessions have one, and a meter reading then stays a single write. A view does so for each
further partner.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zlib import crc32

from ocpi_bridge.adapters.dynamodb.documents import compact, dump, load
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms, expiry
from ocpi_bridge.domain.controls import Control, Intake
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.requests import InstalledPlan
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.values import dataclass

# One partition of an index takes 1,000 write units a second. A push costs four of them in the index `due`, so eight
# shards let through 2,000 pushes a second. A sweep asks each shard. The number may rise, and must not fall: what is written
# stands where it was written.
DUE_SHARDS = 8
# Sessions that are over stand apart: however many end at once, they keep nothing else waiting.
ENDED_SHARD = "ended"
# The end's stream record was relayed long before; where it was lost, no later event of the session makes up for it.
END_SEEN_AFTER = timedelta(minutes=2)
# One partition of an index takes 1,000 write units a second, and a session that moves in the feed costs two of them (the
# old entry goes, the new one comes). Eight shards: 4,000 changes a second for one partner, or 240,000 sessions that
# report once a minute. More would make every poll slower: a walk asks each shard.
FEED_SHARDS = 8

# What the item has as an attribute too; without it a session is below 1 KB for longer: one write unit with each reading.
_BESIDE = ("session_id",)

# How sort keys of a station's live sessions and newest cars begin.
LIVE = "LIVE#"
CAR = "CAR#"
# How those of its closed charging periods begin.
PERIOD = "PERIOD#"


@dataclass(slots=True)
class Retention:
    """How long what is written of sessions is kept after their last change: personal data (docs/privacy.md).

    A stage's own time is set once, before anything is written (runtime.wiring).
    """

    sessions: timedelta = timedelta(days=90)


RETENTION = Retention()


def session_key(session_id: str) -> tuple[str, str]:
    """The key of a session; ids are compared without case (CiString)."""
    return f"SESSION#{session_id.casefold()}", "SESSION"


def control_key(session_id: str) -> tuple[str, str]:
    """The key of a session's control."""
    return session_key(session_id)[0], "CONTROL"


def period_key(session_id: str, index: int) -> tuple[str, str]:
    """The key of a charging period; they sort by index."""
    return session_key(session_id)[0], f"{PERIOD}{index:06d}"


def view_key(session_id: str, partner_id: str) -> tuple[str, str]:
    """The key of a session's view for a partner; it sorts behind the session's own."""
    return session_key(session_id)[0], f"VIEW#{partner_id}"


def feed_partition(partner_id: str, shard: int) -> str:
    """A shard of the sessions that a partner sees, in the indexes `feed` and `live`."""
    return f"{partner_id}#{shard}"


def feed_shard(session_id: str) -> int:
    """The shard that a session stays in for ever, whatever becomes of it."""
    return crc32(session_id.casefold().encode()) % FEED_SHARDS


def due_shard(name: str) -> str:
    """The shard of the index `due` for what belongs to a session or request of this id."""
    return str(crc32(name.casefold().encode()) % DUE_SHARDS)


def party_text(party: Party) -> str:
    """A party as entries of the feed name it; parties are compared without case (CiString)."""
    return f"{party.country_code}/{party.party_id}".casefold()


def transactions_at(csms_id: str, station_id: str) -> str:
    """The partition with the transactions of a station, its live sessions, and when the newest cars came."""
    return f"STATION#{csms_id}#{station_id}"


def transaction_key(csms_id: str, station_id: str, transaction_id: str) -> tuple[str, str]:
    """The key of the pointer from a transaction to its newest session."""
    return transactions_at(csms_id, station_id), f"TRANSACTION#{transaction_id}"


def live_key(session: Session) -> tuple[str, str]:
    """The key of a session's entry among those of its station that are not over; it is gone when the session is."""
    return transactions_at(session.csms_id, session.station_id), f"{LIVE}{session.session_id.casefold()}"


def car_key(session: Session) -> tuple[str, str]:
    """The key of what names the newest session of a session's place. It sorts right before those of live sessions."""
    return transactions_at(session.csms_id, session.station_id), f"{CAR}{session.place}"


def session_item(session: Session) -> dict[str, Any]:
    """The session's item, with its place in the feed of the first partner that sees it."""
    pk, sk = session_key(session.session_id)
    return {
        "pk": pk,
        "sk": sk,
        "entity": "session",
        "session_id": session.session_id,
        "version": session.version,
        "document": compact(session, beside=_BESIDE),
        "expires_at": expiry(session.last_updated, RETENTION.sessions),
        **_end_due(session),
        **(_place_in_feed(session, min(session.rights.seen_by)) if session.rights.seen_by else {}),
    }


def view_partners(session: Session) -> tuple[str, ...]:
    """The partners that see the session by a view of their own: all but the first, by id."""
    return tuple(sorted(session.rights.seen_by)[1:])


def view_item(session: Session, partner_id: str) -> dict[str, Any]:
    """The session's view for a partner."""
    pk, sk = view_key(session.session_id, partner_id)
    return {
        "pk": pk,
        "sk": sk,
        "entity": "view",
        "session_id": session.session_id,
        "expires_at": expiry(session.last_updated, RETENTION.sessions),
        **_place_in_feed(session, partner_id),
    }


def _end_due(session: Session) -> dict[str, Any]:
    if session.over and session.concerns:
        return {"due_shard": ENDED_SHARD, "due_at": epoch_ms(session.last_updated + END_SEEN_AFTER)}
    if session.over or session.closes_at is None:
        return {}
    return {"due_shard": due_shard(session.session_id), "due_at": epoch_ms(session.closes_at)}


def _place_in_feed(session: Session, partner_id: str) -> dict[str, Any]:
    partition = feed_partition(partner_id, feed_shard(session.session_id))
    return {
        "feed": partition,
        "feed_at": epoch_ms(session.last_updated),
        "party": party_text(Party(session.country_code, session.party_id)),
        "live": None if session.over else partition,
    }


def session_of(item: Mapping[str, Any]) -> Session:
    """The session of an item."""
    return load(Session, item["document"], **{name: item[name] for name in _BESIDE})


def period_item(session: Session, period: ChargingPeriod) -> dict[str, Any]:
    """A charging period's item."""
    pk, sk = period_key(session.session_id, period.index)
    return {
        "pk": pk,
        "sk": sk,
        "entity": "period",
        "document": compact(period),
        "expires_at": expiry(session.last_updated, RETENTION.sessions),
    }


def period_of(item: Mapping[str, Any]) -> ChargingPeriod:
    """The charging period of an item."""
    return load(ChargingPeriod, item["document"])


def control_of(session_id: str, item: Mapping[str, Any] | None) -> Control:
    """The control of a session; a new one where there is no item."""
    if item is None:
        return Control(session_id)
    intakes: dict[str, str] = json.loads(item.get("intakes", "{}"))
    return Control(
        session_id=session_id,
        version=int(item.get("version", 0)),
        accepted=int(item.get("accepted", 0)),
        sent=int(item.get("sent", 0)),
        settled=int(item.get("installed_number", 0)),
        uncertain=int(item.get("uncertain", 0)),
        uncertain_by=item.get("uncertain_by"),
        installed=load(InstalledPlan, item["installed"]) if item.get("installed") else None,
        unit=RateUnit(item["unit"]) if "unit" in item else None,
        intakes={partner_id: load(Intake, text) for partner_id, text in intakes.items()},
    )


def intakes_text(control: Control) -> str:
    """What is remembered of the partners' requests, as it is stored."""
    return json.dumps({partner_id: dump(intake) for partner_id, intake in control.intakes.items()})
