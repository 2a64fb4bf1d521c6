"""`bridge station unplaced`: what CSMSs reported that belongs nowhere, and what to do about it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

import typer

from ocpi_bridge.adapters.dynamodb.unplaced import Unplaced
from ocpi_bridge.domain.errors import UnknownEntity
from tools.bridge import files
from tools.bridge.session import Session

CsmsId = Annotated[str | None, typer.Argument(metavar="CSMS", help="Only of this CSMS; without it of all of them.")]

ADVICE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unknown_station": "import the station, or let the CSMS not report it",
        "unknown_connector": "the station's entry has no such EVSE or connector, or the event names none: mend either",
        "unknown_session": "let the CSMS PUT the whole session before it PATCHes it, or name its transaction",
        "session_id_taken": "another CSMS has a session of this id: ids must differ between CSMSs",
        "former_transaction": "nothing, if it was seldom: it came late, when its transaction's id was used again",
        "implausible_time": "the station's clock is far ahead: set it",
        "another_csms": "the CSMS answers commands that another one was given: check which station is whose",
        "foreign_account": "add the AWS account to bus_accounts of the CSMS, or find out who reports there",
        "unknown_csms": "the CSMS is not in the registry any more: stop it reporting, or add it again",
        "unreadable": "the CSMS breaks the contract: see the detail (--json) and docs/csms-events.md",
    }
)
"""What to do, by reason; the reasons are those of `event.ingested` and `event.refused` in the logs."""


def unplaced(session: Session, csms_id: CsmsId = None) -> None:
    """List what CSMSs reported that belongs nowhere: unknown stations and connectors, and what could not be read.

    One line for a station, place and reason, with how often and when; it goes by itself 30 days after the last one.
    """
    registry = session.deployment.registry
    if csms_id is None:
        csms_ids = [csms.csms_id for csms in registry.list_csmss()]
    elif registry.get_csms(csms_id) is None and not session.deployment.unplaced.of(csms_id):
        raise UnknownEntity("CSMS", csms_id)
    else:
        csms_ids = [csms_id]
    found = [one for each in csms_ids for one in session.deployment.unplaced.of(each)]
    session.output.table(
        [_document(one) for one in found],
        ("CSMS", "station", "place", "reason", "times", "last", "what to do"),
        (
            (
                one.csms_id,
                one.station_id,
                one.place,
                one.reason,
                str(one.count),
                str(files.to_json(one.last_at.replace(microsecond=0))),
                ADVICE.get(one.reason, ""),
            )
            for one in found
        ),
        none="Everything that was reported has its place.",
    )


def _document(one: Unplaced) -> files.Json:
    return {
        "csms_id": one.csms_id,
        "station_id": one.station_id,
        "place": one.place,
        "reason": one.reason,
        "count": one.count,
        "first_at": files.to_json(one.first_at),
        "last_at": files.to_json(one.last_at),
        "event_id": one.event_id,
        "event_type": one.event_type,
        "detail": one.detail,
        "advice": ADVICE.get(one.reason, ""),
    }
