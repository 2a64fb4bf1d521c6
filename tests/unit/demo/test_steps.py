"""The demo's steps with real counterparts, and a scripted bridge between them that may cheat."""

import io
import itertools
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from tests.unit.demo.scripted_bridge import AMPERE_STATION, SILENT_STATION, Script, ScriptedBridge
from tests.unit.demo.scripted_platform import TOKEN_A
from tools.charge_point import ChargePoint, SilentChargePoint
from tools.demo import credentials
from tools.demo.__main__ import run
from tools.demo.narrator import Narrator
from tools.demo.programme import PROGRAMME, Step
from tools.demo.repetition import with_repetition
from tools.demo.scene import Bound, Cast, Scene, Setup

pytestmark = pytest.mark.integration

# A step that is seen ends long before this.
SECONDS = 30.0
# What a cheating bridge leaves out is waited for so long.
IN_VAIN_SECONDS = 1.0


def on_stage(bridge: ScriptedBridge) -> Step:
    """In place of the deployed stack: the counterparts around the scripted bridge."""

    def act(scene: Scene, within: Bound) -> str:
        scene.resources.enter_context(bridge.running())
        charge_point = ChargePoint(bridge.csms.ocpp_url, "CP-1")
        in_amperes = ChargePoint(bridge.csms.ocpp_url, AMPERE_STATION, units=["A"])
        silent = SilentChargePoint(bridge.csms.ocpp_url, SILENT_STATION)
        scene.cast = Cast(bridge.csms, bridge.partner, charge_point, in_amperes, silent)
        scene.invitation = bridge.invitation
        for one in (charge_point, in_amperes, silent):
            scene.resources.enter_context(one)
        for kirby in (charge_point, in_amperes):
            kirby.wait_until_booted(within.left())
        return "everybody is there"

    return Step("The parts take their places", "everybody", SECONDS, act)


def played(
    tmp_path: Path, script: Script, *, in_vain: str | None = None, programme: tuple[Step, ...] = PROGRAMME
) -> tuple[int, str]:
    """The exit status and what was shown, of everything after the stack's deployment.

    `in_vain` is how the step's title begins that waits for what will not come.
    """
    shown = io.StringIO()
    steps = [on_stage(ScriptedBridge(script))]
    for step in programme[2:]:
        waits_in_vain = in_vain is not None and step.title.startswith(in_vain)
        steps.append(replace(step, seconds=IN_VAIN_SECONDS if waits_in_vain else SECONDS))
    with Narrator(tmp_path / "demo.log", Console(file=shown, width=300)) as narrator:
        status = run(Setup(stack_directory=tmp_path / "none"), steps, narrator, tmp_path)
    return status, shown.getvalue()


def test_a_bridge_that_does_its_job_passes_every_step(tmp_path: Path) -> None:
    status, shown = played(tmp_path, Script())

    assert status == 0, shown
    assert "All 23 steps were observed at the far end" in shown
    report = (tmp_path / "report.html").read_text()
    told = (
        "discovery, then POST credentials",
        "GET version details",
        "SetChargingProfile",
        "PATCH session, 0.6 kWh",
        "PUT active charging profile",
        "GET sessions, by Link",
        "discovery, then PUT credentials",
        "PATCH session COMPLETED",
        "POST result REJECTED",
    )
    assert [text for text in told if text not in report] == []
    assert "request_id=" not in report + (tmp_path / "demo.log").read_text()


def test_no_token_of_either_side_is_written_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = itertools.count(1)
    monkeypatch.setattr(credentials, "new_token", lambda: f"token-{next(given)}-of-the-partner")

    status, shown = played(tmp_path, Script())

    assert status == 0, shown
    written = shown + (tmp_path / "report.html").read_text() + (tmp_path / "demo.log").read_text()
    assert next(given) == 3
    tokens = (TOKEN_A, *(f"token-{number}-of-the-{side}" for number in (1, 2) for side in ("bridge", "partner")))
    assert [token for token in tokens if token in written] == []


def test_the_meter_is_moved_only_once_the_partner_wants_to_hear_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tools.demo.pushes.sleep", pauses.append)

    def set_interval(scene: Scene, _within: Bound) -> str:
        scene.meter_push_interval = timedelta(minutes=5)
        return ""

    interval = Step("The partner wants to hear of the meter every 5 minutes", "", SECONDS, set_interval)
    status, shown = played(tmp_path, Script(), programme=(*PROGRAMME[:2], interval, *PROGRAMME[2:]))

    assert status == 0, shown
    [pause] = pauses
    assert 0 < pause <= 301


def test_the_measurement_follows_the_steps_and_stays_out_of_the_story(tmp_path: Path) -> None:
    status, shown = played(tmp_path, Script(), programme=with_repetition(3))

    assert status == 0, shown
    assert "3 PUTs in sequence, seconds" in shown
    # Two are the partner's, one is the first of them below the cap, one is the CPO's own limit.
    assert (tmp_path / "demo.log").read_text().count("CSMS to CP-1: SetChargingProfile") == 4


@pytest.mark.parametrize(
    ("script", "step", "expected", "seen"),
    [
        (
            Script(never_calls_back=True),
            "The partner registers",
            "GET /versions and GET /2.3.0/details",
            "seen: nothing",
        ),
        (Script(keeps_token_a=True), "The partner registers", "401 for token A", "registers a second time"),
        (Script(forgets_sessions=True), "The session reaches the partner", "an ACTIVE session", "nothing like it"),
        (Script(pushes_by_another_version=True), "The session reaches", "/ocpi/2.3.0/sessions", "/ocpi/2.2.1/sessions"),
        (Script(refuses=True), "Meanwhile", "HTTP 200, OCPI 1000, ACCEPTED", "HTTP 200, OCPI 1000, REJECTED"),
        (Script(deaf="PUT"), "Meanwhile", "SetChargingProfile at the silent charger", "nothing like it"),
        (Script(halves_limits=True), "The profile arrives", "22000 W from", "11000 W from"),
        (Script(mute="PUT"), "The result arrives", "the result ACCEPTED", "nothing like it"),
        (Script(mute="GET"), "The partner GETs", "GetCompositeSchedule", "nothing like it"),
        (Script(invents_active_profile=True), "The partner GETs", "10000 W from", "seen: 22000 W from"),
        (Script(ignores_meter=True), "The meter moves", "a PATCH with kwh", "nothing like it"),
        (Script(pushes_whole=True), "The meter moves", "a PATCH of kwh and last_updated", "a PUT of"),
        (Script(forgets_link=True), "The partner pulls", "no rule", "no Link after 1 objects"),
        (Script(serves_other_energy=True), "The partner pulls", "0.6 kWh, as it was pushed", "1.6 kWh"),
        (Script(hides_limits=True), "The CPO sets", "GetCompositeSchedule", "nothing like it"),
        (Script(guesses_limits=True), "The CPO sets", "GetCompositeSchedule", "nothing like it"),
        (Script(misreads_limits=True), "The CPO sets", "11000 W from", "seen: 22000 W from"),
        (Script(ignores_cap=True), "The CPO caps", "SetChargingProfile with the lower", "nothing like it"),
        (Script(clears_nothing=True), "The CPO takes its station back", "ClearChargingProfile", "nothing like it"),
        (Script(steers_while_suspended=True), "The CPO takes its station back", "REJECTED while", "seen: ACCEPTED"),
        (Script(never_steers_again=True), "The CPO lifts the cap", "ACCEPTED", "OCPI 1000, REJECTED"),
        (Script(assumes_three_phases=True), "A one-phase car", "SetChargingProfile with 22 A", "nothing like it"),
        (Script(leaves_plans=True), "The CPO takes its station back", "ClearChargingProfile", "nothing like it"),
        (Script(shows_former_token=True), "The partner renews", "with the partner's new token", "another one"),
        (Script(keeps_former_tokens=True), "The partner renews", "401 for the former token", "HTTP 200"),
        (Script(deaf="DELETE"), "The partner DELETEs", "ClearChargingProfile", "nothing like it"),
        (Script(contradicts_itself=True), "Nobody broke a rule", "no broken rule", "2 results"),
    ],
    ids=[
        "never calls back",
        "token A lives on",
        "no session",
        "another version's endpoint",
        "refused",
        "never sent",
        "other limits",
        "no result",
        "no active profile",
        "an invented active profile",
        "no meter update",
        "the whole session again",
        "no next page",
        "other energy on the page",
        "a limit untold",
        "a limit guessed",
        "a limit misread",
        "a cap ignored",
        "a station not given back",
        "steered all the same",
        "never steered again",
        "a third of the power",
        "a plan left behind",
        "the former token in use",
        "the former token accepted",
        "never cleared",
        "two results",
    ],
)
def test_a_bridge_that_only_says_it_did_its_job_is_caught_at_the_far_end(
    tmp_path: Path, script: Script, step: str, expected: str, seen: str
) -> None:
    status, shown = played(tmp_path, script, in_vain=step)

    assert status == 1
    conclusion = shown[shown.index("FAILED: ") :]
    assert step in conclusion.splitlines()[0]
    assert expected in conclusion
    assert seen in conclusion


def test_a_failed_step_shows_what_everybody_said_last(tmp_path: Path) -> None:
    _, shown = played(tmp_path, Script(deaf="DELETE"), in_vain="The partner DELETEs")

    around = shown[shown.index("FAILED after") :]
    assert "Partner to Bridge: DELETE charging profile" in around
    assert "Bridge to Partner: POST result ACCEPTED" in around
    assert "CSMS to CP-1: ClearChargingProfile" not in around
