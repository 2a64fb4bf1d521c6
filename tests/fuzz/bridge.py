"""The deployed functions for fuzzing: one import for all examples, a world that is new in each, and what was logged."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb import token_items
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.partners import Pairing
from ocpi_bridge.domain.requests import RequestState
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse, token_hash
from ocpi_bridge.ports.charge_points import Pending
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.usecases.ingest_event import IngestEvent
from tests.support.deployed_functions import Handler, deployed, handler_of
from tests.support.partner_platform import PartnerServer
from tests.support.queues import Queues, aws_queues
from tests.support.registry_entries import assignment
from tests.support.scripted import DELIVERED, ScriptedDriver, ScriptedPartner
from tests.support.tables import AwsTables, aws_tables
from tests.support.world import CARD, World, event

REGISTRATION_TOKEN = "registration-token"


class Errors(logging.Handler):
    """What the functions logged as an error since the last look."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(self.format(record))

    def taken(self) -> list[str]:
        texts, self._texts = self._texts, []
        return texts


@dataclass
class Bridge:
    """All functions; `partner` and `driver` are the servers beyond our network, `platform` the partner's own modules."""

    tables: AwsTables
    queues: Queues
    errors: Errors = field(default_factory=Errors)
    partner: ScriptedPartner = field(default_factory=lambda: ScriptedPartner(DELIVERED))
    driver: ScriptedDriver = field(default_factory=lambda: ScriptedDriver(Pending()))
    platform: PartnerServer = field(default_factory=PartnerServer)

    def __post_init__(self) -> None:
        self._function = cache(handler_of)
        self.world = World(self.tables)
        self.session = self._stand()
        self._restore = self.tables.kept()

    def _stand(self) -> Session:
        """A partner that steers one session, may pair, and can register anew; a command of it waits for its answer."""
        world = self.world
        world.put_partner(replace(world.partner, pairing=Pairing()))
        now, use = world.clock.now(), TokenUse.REGISTRATION
        registration = AcceptedToken(token_hash(REGISTRATION_TOKEN), "jedlix", world.partner.party, now, use)
        self.tables.put(self.tables.registry, dynamo.to_item(token_items.token_item(registration)))
        world.put_assignment(assignment())
        IngestEvent(world.sessions, world.states, world.clock)(
            event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD)
        )
        [session] = world.stored_sessions()
        world.put_request(session, state=RequestState.SENT, attempts=1)
        return session

    def afresh(self) -> None:
        """Everything as it was in the beginning."""
        self._restore()
        self.errors.taken()
        self.platform = PartnerServer()

    def run(self, name: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what the function gives back
        """What a function makes of an event."""
        handler: Handler = self._function(name)
        return handler(given, None)


@contextmanager
def fuzzed_bridge() -> Iterator[Bridge]:
    """The bridge, for as long as the context lasts."""
    with aws_tables() as tables, aws_queues() as queues:
        bridge = Bridge(tables, queues)

        def partner_server(*_: object, **__: object) -> ScriptedPartner:
            return bridge.partner

        def csms_server(*_: object, **__: object) -> ScriptedDriver:
            return bridge.driver

        class Platform:
            """The platform of the world that is there now."""

            def exchange(self, *given: Any) -> Any:  # noqa: ANN401 - handed on as it is
                return bridge.platform.exchange(*given)

            def close(self) -> None:
                """Nothing is kept open."""

        def platform(**_: object) -> HttpPartnerPlatform:
            return HttpPartnerPlatform(Platform())

        with deployed(bridge.world, queues) as patch:
            patch.setattr("ocpi_bridge.runtime.wiring.partners.guarded_partner_client", partner_server)
            patch.setattr("ocpi_bridge.runtime.wiring.commands.charge_point_drivers", csms_server)
            patch.setattr("ocpi_bridge.runtime.wiring.credentials.guarded_partner_platform", platform)
            logger.addHandler(bridge.errors)
            try:
                yield bridge
            finally:
                logger._logger.removeHandler(bridge.errors)
