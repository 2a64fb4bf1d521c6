import importlib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ocpi_bridge.adapters.dynamodb.persons import person_items
from ocpi_bridge.adapters.dynamodb.session_items import RETENTION, session_item
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.runtime import wiring
from ocpi_bridge.runtime.settings import MissingSetting, Settings, optional, variable
from tests.support.world import CARD, event, session_of


def test_a_variable_that_is_missing_or_empty_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_TABLE", raising=False)
    with pytest.raises(MissingSetting, match="REQUESTS_TABLE"):
        variable("REQUESTS_TABLE")
    monkeypatch.setenv("REQUESTS_TABLE", "")
    with pytest.raises(MissingSetting, match="REQUESTS_TABLE"):
        variable("REQUESTS_TABLE")
    assert optional("REQUESTS_TABLE") == ""


@pytest.mark.parametrize(("stage", "local"), [("local", True), ("prod", False), ("LOCAL", False), ("localhost", False)])
def test_only_the_stage_local_is_local(monkeypatch: pytest.MonkeyPatch, stage: str, local: bool) -> None:
    monkeypatch.setenv("STAGE", stage)
    assert Settings().is_local is local


def test_settings_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPI_COUNTRY_CODE", "NL")
    monkeypatch.setenv("OCPI_PARTY_ID", "CPO")
    monkeypatch.setenv("RESULT_TIMEOUT_SECONDS", "60")
    assert (Settings().party, Settings().result_timeout) == (Party("NL", "CPO"), timedelta(minutes=1))


@pytest.fixture
def _retention() -> Iterator[None]:
    before = RETENTION.sessions
    yield
    RETENTION.sessions = before


@pytest.mark.usefixtures("_retention")
def test_what_is_written_of_a_session_is_kept_as_long_as_the_stage_says(monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(event(EventType.TRANSACTION_STARTED, token=CARD))
    for days in ("30", "1"):
        monkeypatch.setenv("SESSION_RETENTION_DAYS", days)
        importlib.reload(wiring)
        until = int((session.last_updated + timedelta(days=int(days))).timestamp())
        assert session_item(session)["expires_at"] == until
        assert {item["expires_at"] for item in person_items(session)} == {until}


@pytest.mark.usefixtures("_retention")
def test_without_a_word_it_is_ninety_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SESSION_RETENTION_DAYS", raising=False)
    importlib.reload(wiring)
    assert RETENTION.sessions == timedelta(days=90)
