"""What an event of a CSMS did, for logs and metrics."""

from enum import StrEnum

# Events of one transaction are seldom processed at the same instant, and each loser only has to read again.
WRITE_ATTEMPTS = 6


class Ingested(StrEnum):
    """What an event did, for logs and metrics."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    STATION_STATE = "station_state"
    STEERING = "steering"
    PROFILES_IN_DOUBT = "profiles_in_doubt"
    NOT_USED = "not_used"
    UNKNOWN_STATION = "unknown_station"
    UNKNOWN_CONNECTOR = "unknown_connector"
    UNKNOWN_SESSION = "unknown_session"
    # Older than the session that has its transaction id now, and nothing tells which one it belonged to.
    FORMER_TRANSACTION = "former_transaction"
    # Another CSMS has a session with the id that the event names.
    SESSION_ID_TAKEN = "session_id_taken"
    # A day ahead, so that it would overrule what happens until then, or years behind: the station's clock is wrong.
    IMPLAUSIBLE_TIME = "implausible_time"

    @property
    def lost(self) -> bool:
        """Whether the event belongs nowhere; operators find it among the warnings."""
        return self in _LOST


_LOST = frozenset(
    {
        Ingested.UNKNOWN_STATION,
        Ingested.UNKNOWN_CONNECTOR,
        Ingested.UNKNOWN_SESSION,
        Ingested.FORMER_TRANSACTION,
        Ingested.SESSION_ID_TAKEN,
        Ingested.IMPLAUSIBLE_TIME,
    }
)
