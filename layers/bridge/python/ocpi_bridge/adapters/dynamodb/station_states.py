"""StationStates on the registry table: one item a station, one attribute for each thing that is known.

    STATION_STATE#{csms_id}  {station_id}   online, online_at, steering_suspended, steering_at,
                                            suspended/{evse}, suspended_at/{evse}, cap_w/{evse}, cap_at/{evse},
                                            not_supported_until, rate_limited_until, learned, learned_at

Attributes of an EVSE carry its uid, folded; a station has 64 of them at most. Instants are epoch milliseconds.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import registry_items, tables
from ocpi_bridge.adapters.dynamodb.documents import dump
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms
from ocpi_bridge.domain.stations import Capabilities, StationState
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DynamoStationStates:
    """See StationStates."""

    client: "DynamoDBClient"
    registry: str

    def state(self, csms_id: str, station_id: str) -> StationState:
        """See StationStates."""
        key = (self.registry, *registry_items.station_state_key(csms_id, station_id))
        return registry_items.station_state_of(tables.get_many(self.client, [key]).get(key))

    def set_online(self, csms_id: str, station_id: str, *, online: bool, at: datetime) -> None:
        """See StationStates."""
        self._set(csms_id, station_id, {"online": online}, since=("online_at", at))

    def set_steering(
        self, csms_id: str, station_id: str, evse_uid: str | None, *, suspended: bool, at: datetime
    ) -> None:
        """See StationStates."""
        if evse_uid is None:
            self._set(csms_id, station_id, {"steering_suspended": suspended}, since=("steering_at", at))
            return
        uid = evse_uid.casefold()
        self._set(csms_id, station_id, {f"suspended/{uid}": suspended}, since=(f"suspended_at/{uid}", at))

    def set_cap(self, csms_id: str, station_id: str, evse_uid: str, cap_w: Decimal | None, at: datetime) -> None:
        """See StationStates."""
        uid = evse_uid.casefold()
        self._set(csms_id, station_id, {f"cap_w/{uid}": cap_w}, since=(f"cap_at/{uid}", at))

    def has_no_smart_charging(self, csms_id: str, station_id: str, until: datetime) -> None:
        """See StationStates."""
        self._set(csms_id, station_id, {"not_supported_until": epoch_ms(until)})

    def is_rate_limited(self, csms_id: str, station_id: str, until: datetime) -> None:
        """See StationStates."""
        self._set(csms_id, station_id, {"rate_limited_until": epoch_ms(until)})

    def learned(self, csms_id: str, station_id: str, capabilities: Capabilities, at: datetime) -> None:
        """See StationStates."""
        self._set(csms_id, station_id, {"learned": dump(capabilities)}, since=("learned_at", at))

    def booted(self, csms_id: str, station_id: str) -> None:
        """See StationStates."""
        forgotten = ("not_supported_until", "rate_limited_until", "learned", "learned_at")
        self._set(csms_id, station_id, dict.fromkeys(forgotten))

    def _set(
        self,
        csms_id: str,
        station_id: str,
        attributes: Mapping[str, object],
        since: tuple[str, datetime] | None = None,
    ) -> None:
        """Sets attributes, or removes those that are None; with `since` only where nothing newer is known."""
        told: dict[str, object] = {"entity": "station_state", **attributes}
        if since is not None:
            told[since[0]] = epoch_ms(since[1])
        kept = [name for name, value in told.items() if value is not None]
        gone = [name for name, value in told.items() if value is None]
        with suppress(self.client.exceptions.ConditionalCheckFailedException):
            self._update(csms_id, station_id, told, kept, gone, since[0] if since else None)

    def _update(
        self,
        csms_id: str,
        station_id: str,
        told: Mapping[str, object],
        kept: Sequence[str],
        gone: Sequence[str],
        order: str | None,
    ) -> None:
        places = {name: f"a{index}" for index, name in enumerate([*kept, *gone])}
        expression = "SET " + ", ".join(f"#{places[name]} = :{places[name]}" for name in kept)
        if gone:
            expression += " REMOVE " + ", ".join(f"#{places[name]}" for name in gone)
        # Without an order every write counts: a condition that always holds keeps this one call.
        newer = f"attribute_not_exists(#{places[order]}) OR #{places[order]} <= :{places[order]}" if order else None
        self.client.update_item(
            TableName=self.registry,
            Key=tables.key(*registry_items.station_state_key(csms_id, station_id)),
            UpdateExpression=expression,
            ConditionExpression=newer or "attribute_exists(pk) OR attribute_not_exists(pk)",
            ExpressionAttributeNames={f"#{place}": name for name, place in places.items()},
            ExpressionAttributeValues=tables.values(**{places[name]: told[name] for name in kept}),
        )
