"""PUT charging preferences (OCPI 9.2.1.2), a driver's wish, so only where the session may be changed."""

from tools.rehearsal import rules
from tools.rehearsal.checks.check import Check
from tools.rehearsal.counterpart import below
from tools.rehearsal.judgement import has_code
from tools.rehearsal.stage import Need, Stage

WORDS = ("ACCEPTED", "DEPARTURE_REQUIRED", "ENERGY_NEED_REQUIRED", "NOT_POSSIBLE", "PROFILE_TYPE_NOT_SUPPORTED")


def set_preferences(stage: Stage) -> None:
    """Preferences for the running session, and some that are wrong."""
    url = f"{below(stage.counterpart.known_endpoints.sessions, stage.session)}/charging_preferences"
    answer = stage.counterpart.call("PUT", url, "PUT charging preferences", body={"profile_type": "REGULAR"})
    if answer.status == 404:
        holds = answer.status_code == 2001
        stage.ledger.expect(
            rules.PREFERENCES_INCAPABLE, holds, where=answer.call.where, expected="HTTP 404, OCPI 2001", seen=answer
        )
        why = "the EVSE takes no preferences"
        stage.ledger.exempt(rules.PREFERENCES_WORD, why)
        stage.ledger.exempt(rules.PREFERENCES_INVALID, why)
        return
    stage.ledger.exempt(rules.PREFERENCES_INCAPABLE, "the EVSE takes preferences")
    stage.ledger.expect(
        rules.PREFERENCES_WORD,
        answer.is_success and answer.data in WORDS,
        where=answer.call.where,
        expected=f"data is one of {', '.join(WORDS)}",
        seen=f"{answer}, data {answer.data}",
    )
    wrong = stage.counterpart.call("PUT", url, "PUT preferences of no known type", body={"profile_type": "MAGIC"})
    stage.ledger.expect(
        rules.PREFERENCES_INVALID,
        has_code(wrong, 200, 2001),
        where=wrong.call.where,
        expected="HTTP 200, OCPI 2001",
        seen=wrong,
    )


CHECKS = (
    Check(
        "Charging preferences",
        set_preferences,
        (rules.PREFERENCES_WORD, rules.PREFERENCES_INCAPABLE, rules.PREFERENCES_INVALID),
        (Need.ENDPOINTS, Need.SESSION, Need.STEER),
    ),
)
