"""Choosing a stage: only one that exists, with settings that hold."""

import pytest

from infra.stages import STAGES, Domain, StageError, StageSettings, select_stage
from tests.infra.stack_template import CERTIFICATE, DOMAIN


def _select(environment: dict[str, str] | None = None, **context: str) -> StageSettings:
    return select_stage(context.get, environment or {})


def test_without_a_word_the_stage_is_dev() -> None:
    assert _select().name == "dev"


def test_the_environment_names_the_stage_and_the_command_line_wins_over_it() -> None:
    assert _select({"STAGE": "local"}).name == "local"
    assert _select({"STAGE": "local"}, stage="dev").name == "dev"


def test_an_unknown_stage_is_refused_with_those_that_exist() -> None:
    with pytest.raises(StageError, match=r"no stage 'prod'.*local, dev, production"):
        _select({"STAGE": "prod"})


def test_production_wants_to_know_whose_charge_points_these_are() -> None:
    with pytest.raises(StageError, match="whose charge points"):
        _select(stage="production")

    settings = _select(stage="production", country_code="DE", party_id="ABC")
    assert (settings.country_code, settings.party_id) == ("DE", "ABC")


@pytest.mark.parametrize(("country_code", "party_id"), [("de", "ABC"), ("DEU", "ABC"), ("DE", "ABCD"), ("DE", "a-c")])
def test_a_party_that_ocpi_does_not_know_is_refused(country_code: str, party_id: str) -> None:
    with pytest.raises(StageError, match="whose charge points"):
        _select(stage="dev", country_code=country_code, party_id=party_id)


@pytest.mark.parametrize("seconds", ["0", "9", "901", "1e3", "-30", "soon"])
def test_a_result_timeout_that_no_queue_can_keep_is_refused(seconds: str) -> None:
    with pytest.raises(StageError, match="result_timeout_seconds"):
        _select(stage="local", result_timeout_seconds=seconds)


def test_a_result_timeout_within_bounds_is_taken() -> None:
    assert _select(stage="local", result_timeout_seconds="20").result_timeout_seconds == 20


@pytest.mark.parametrize("days", ["0", "3651", "-1", "1.5", "ever"])
def test_a_retention_of_sessions_that_is_none_or_for_ever_is_refused(days: str) -> None:
    with pytest.raises(StageError, match="session_retention_days"):
        _select(stage="local", session_retention_days=days)


@pytest.mark.parametrize("days", [1, 30, 3650])
def test_a_retention_of_sessions_within_bounds_is_taken(days: int) -> None:
    assert _select(stage="local", session_retention_days=str(days)).session_retention_days == days
    assert _select(stage="local").session_retention_days == 90


def test_an_api_address_is_taken_without_its_trailing_slash() -> None:
    assert _select(stage="local", api_base_url="https://localhost:1/apis/").api_base_url == "https://localhost:1/apis"
    assert _select(stage="local").api_base_url is None


def test_accounts_that_may_report_on_the_bus_are_named_with_commas() -> None:
    assert _select(stage="dev").csms_bus_accounts == ()
    given = _select(stage="dev", csms_bus_accounts="111111111111,222222222222")
    assert given.csms_bus_accounts == ("111111111111", "222222222222")


@pytest.mark.parametrize(
    "accounts", ["1111", "1111-1111-1111", "*", "111111111111, 222222222222", "1" * 12 + ";" + "2" * 12]
)
def test_what_can_be_no_account_is_refused(accounts: str) -> None:
    with pytest.raises(StageError, match="csms_bus_accounts"):
        _select(stage="dev", csms_bus_accounts=accounts)


def test_an_account_that_is_named_twice_is_refused() -> None:
    with pytest.raises(StageError, match="csms_bus_accounts"):
        _select(stage="dev", csms_bus_accounts="111111111111,111111111111")


def test_a_domain_is_what_partners_are_told() -> None:
    given = _select(stage="dev", domain_name=DOMAIN, certificate_arn=CERTIFICATE)
    assert (given.domain, given.url_for_partners) == (Domain(DOMAIN, CERTIFICATE), f"https://{DOMAIN}")
    assert _select(stage="dev", ocpi_url="https://proxy.example/x").url_for_partners == "https://proxy.example/x"
    assert _select(stage="dev").url_for_partners is None


@pytest.mark.parametrize(
    "change",
    [
        {"certificate_arn": None},
        {"domain_name": None},
        {"domain_name": "https://ocpi.example.com"},
        {"domain_name": "ocpi"},
        {"domain_name": "OCPI.example.com"},
        {"domain_name": "a" * 64 + ".example.com"},
        {"certificate_arn": "arn:aws:iam::111111111111:server-certificate/x"},
        {"ocpi_url": "https://ocpi.example.com"},
        {"stage": "local"},
    ],
    ids=str,
)
def test_a_domain_that_cannot_be_made_is_refused(change: dict[str, str | None]) -> None:
    given = {"stage": "dev", "domain_name": DOMAIN, "certificate_arn": CERTIFICATE} | change
    with pytest.raises(StageError, match=r"domain_name|certificate_arn|domain names"):
        select_stage(given.get, {})


@pytest.mark.parametrize("setting", ["address_requests_per_minute", "token_requests_per_minute"])
def test_a_rate_at_the_edge_is_below_what_the_api_lets_through_in_all(setting: str) -> None:
    for refused in ("9", "3001", "many"):
        with pytest.raises(StageError, match=setting):
            select_stage({setting: refused}.get, {})
    assert getattr(select_stage({setting: "3000"}.get, {}), setting) == 3000
    assert all(60 * stage.api_requests_per_second > stage.token_requests_per_minute for stage in STAGES.values())


def test_concurrency_is_reserved_where_it_is_asked_for_and_never_less_than_the_queues_use() -> None:
    assert {stage.worker_reserved_concurrency for stage in STAGES.values()} == {None}
    assert {stage.api_reserved_concurrency for stage in STAGES.values()} == {None}
    given = _select(stage="dev", worker_reserved_concurrency="20", api_reserved_concurrency="5")
    assert (given.worker_reserved_concurrency, given.api_reserved_concurrency) == (20, 5)
    for setting, refused in (("worker_reserved_concurrency", "19"), ("api_reserved_concurrency", "0")):
        with pytest.raises(StageError, match=setting):
            select_stage({setting: refused}.get, {})


def test_tables_are_provisioned_only_where_it_is_asked_for_and_can_be() -> None:
    assert {stage.provisioned_sessions for stage in STAGES.values()} == {None}
    assert _select(stage="dev", provisioned_sessions="20000").provisioned_sessions == 20_000
    for refused in ("999", "200001", "many"):
        with pytest.raises(StageError, match="provisioned_sessions"):
            _select(stage="dev", provisioned_sessions=refused)
    with pytest.raises(StageError, match="embedded"):
        _select(stage="local", provisioned_sessions="20000")


def test_workers_are_traced_unless_a_stage_is_told_not_to() -> None:
    assert {stage.trace_workers for stage in STAGES.values()} == {True}
    assert _select(stage="dev", trace_workers="false").trace_workers is False
    with pytest.raises(StageError, match="trace_workers"):
        _select(stage="dev", trace_workers="no")


def test_only_the_local_stage_is_embedded_and_only_production_retains_data() -> None:
    assert [name for name, stage in STAGES.items() if stage.embedded] == ["local"]
    assert [name for name, stage in STAGES.items() if stage.retain_data] == ["production"]
