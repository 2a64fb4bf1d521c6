from datetime import timedelta

import pytest

from ocpi_bridge.domain.partners import Party
from ocpi_bridge.runtime.settings import MissingSetting, Settings, optional, variable


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
