"""The programme of the demo: the steps in their order, in plain words, each with its bound in time."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.demo import credentials, one_phase, pages, pushes, staging, steps, takeover
from tools.demo.scene import Bound, Scene

# Ends a deployment that hangs; the parts of it have bounds of their own (tools.local_stack). A first run bundles, too.
DEPLOYMENT_SECONDS = 720.0
# What takes milliseconds on the loopback interface, a second or two through functions that start cold. The rest is for
# slow machines that do other things as well.
SHORT = 30.0
# A result is promised within staging.RESULT_TIMEOUT; a little more shows one that comes late as what it is.
PROMISED = staging.RESULT_TIMEOUT + 5.0
# A push that has to wait is woken each minute.
WOKEN = 60.0 + SHORT


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its title, what must be seen at the far end, and within how many seconds.

    `act` returns what it saw, in a sentence. It raises StepFailed for something else, NotObservedError for nothing.
    """

    title: str
    expected: str
    seconds: float
    act: Callable[[Scene, Bound], str]


PROGRAMME: tuple[Step, ...] = (
    Step(
        "Deploy the bridge to an embedded AWS on this machine",
        "the OCPI API answers as the bridge does",
        DEPLOYMENT_SECONDS,
        staging.deploy,
    ),
    Step(
        "The charge points boot",
        "all charge points connected, BootNotification accepted",
        SHORT,
        staging.take_places,
    ),
    Step(
        "The partner registers by OCPI's handshake",
        "credentials of both sides, versions and details read with token B at the partner, token A refused afterwards",
        SHORT,
        credentials.register,
    ),
    Step(
        "A car is plugged in and a transaction starts",
        "a running transaction at the charge point and at the CSMS",
        SHORT,
        steps.plug_in,
    ),
    Step(
        "The session reaches the partner",
        "an ACTIVE session at the partner",
        SHORT,
        steps.see_session,
    ),
    Step(
        "Meanwhile: a profile for a charger that never answers",
        "ACCEPTED for the partner, SetChargingProfile at the silent charger",
        SHORT,
        steps.ask_silent_charger,
    ),
    Step(
        "The partner PUTs the profile of Jedlix's guide: 22 kW, a pause, 10 kW",
        "the synchronous answer ACCEPTED",
        SHORT,
        steps.put_profile,
    ),
    Step(
        "The profile arrives at the charge point",
        "SetChargingProfile with the same limits in the charge point's own log, answered Accepted",
        PROMISED,
        steps.see_profile_at_charge_point,
    ),
    Step(
        "The result arrives at the partner",
        "the result ACCEPTED at the partner's response_url",
        PROMISED,
        steps.see_result,
    ),
    Step(
        "The partner GETs the active profile",
        "GetCompositeSchedule at the charge point, and at the partner an active profile equal to the plan",
        PROMISED,
        steps.get_active_profile,
    ),
    Step(
        "The meter moves: an update for the partner",
        "a PATCH with kwh and last_updated at the partner",
        WOKEN,
        pushes.see_meter_update,
    ),
    Step(
        "The partner pulls the sessions, page by page",
        "both sessions on pages of one, the second by Link, X-Total-Count on each",
        SHORT,
        pages.pull_sessions,
    ),
    Step(
        "The CPO sets a limit of its own, 11 kW: the partner is told",
        "GetCompositeSchedule at the charge point, and at the partner an active profile with the lower limit",
        WOKEN,
        pushes.see_limit,
    ),
    Step(
        "The CPO takes its limit back: the partner is told again",
        "GetCompositeSchedule at the charge point, and at the partner an active profile equal to the plan",
        WOKEN,
        pushes.see_end_of_limit,
    ),
    Step(
        "The CPO caps the connector at 11 kW: the plan is sent again below that",
        "SetChargingProfile with the lower limit at the charge point, and at the partner an active profile with it",
        WOKEN,
        takeover.see_cap,
    ),
    Step(
        "The CPO takes its station back",
        "ClearChargingProfile at the charge point, at the partner the cap, and REJECTED for its next PUT",
        WOKEN,
        takeover.see_suspension,
    ),
    Step(
        "The CPO lifts the cap and lets the partner steer again",
        "a PUT that is ACCEPTED, and SetChargingProfile with the same limits at the charge point",
        PROMISED,
        takeover.see_resumption,
    ),
    Step(
        "The partner renews the credentials in mid-session",
        "new tokens in both directions, a GET and its result with them, the former token refused",
        PROMISED,
        credentials.rotate,
    ),
    Step(
        "The partner DELETEs the profile",
        "ClearChargingProfile at the charge point, answered Accepted, and the result ACCEPTED at the partner",
        PROMISED,
        steps.delete_profile,
    ),
    Step(
        "A one-phase car at a charger that takes only amperes gets its full power",
        "SetChargingProfile with 22 A at the charge point, and 5060 W on its meter",
        WOKEN,
        one_phase.see_full_power,
    ),
    Step(
        "It leaves, and its plan is cleared before the next car",
        "ClearChargingProfile with the plan's id at the charge point, the session COMPLETED at the partner",
        WOKEN,
        one_phase.see_plan_gone,
    ),
    Step(
        "The silent charger's request is REJECTED in time",
        "the result REJECTED at the partner before the announced timeout",
        PROMISED,
        steps.see_rejection,
    ),
    Step(
        "The transaction ends and the session is COMPLETED at the partner",
        "both sessions COMPLETED at the partner, with end and energy",
        SHORT,
        steps.end_transaction,
    ),
    Step(
        "Nobody broke a rule",
        "no violation of OCPI or OCPP, one result for each request",
        SHORT,
        steps.see_no_violation,
    ),
)
