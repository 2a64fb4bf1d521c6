"""What is left of a run: the report's parts, read from the scene."""

from datetime import timedelta, tzinfo

from tools.demo import checks, report, steps, storyline
from tools.demo.outcomes import Play
from tools.demo.scene import Scene
from tools.demo.sequence import Message

# Without an answer of the charge point the requested plan is drawn a while beyond its last step.
TAIL = timedelta(minutes=30)


def written_report(play: Play, scene: Scene, zone: tzinfo) -> str:
    """The report of a run, also of one that ended early."""
    return report.report(play, plans(scene), stories(scene), scene.measured, zone=zone)


def plans(scene: Scene) -> report.Plans:
    """Both plans in one window: from the PUT to the end of what the charge point told."""
    requested, reported = scene.requested, scene.reported
    if requested is None or requested.start is None:
        return report.Plans()
    since, until = requested.start, checks.last_start(requested) + TAIL
    if reported is not None and reported.start is not None:
        until = reported.start + timedelta(seconds=steps.ACTIVE_PROFILE_SECONDS)
    return report.Plans(checks.course(requested, since, until), checks.course(reported, since, until), requested.unit)


def stories(scene: Scene) -> list[report.Story]:
    """The story of each charge point; the measurement, which repeats the first, is left out."""
    if scene.cast is None:
        return []
    cast, put, silent_put = scene.cast, scene.put, scene.silent_put
    return [
        report.Story(
            "The way of the profile, and back",
            "Who told whom what, as the counterparts recorded it by their own clocks. OCPP is from the charge point's own log. "
            "Discovery is GET versions and GET version details.",
            storyline.parties(cast.charge_point.station_id, "charge point: kirby-ocpp"),
            _before_the_measurement(storyline.charge_points_story(cast, scene.notes), scene),
            tuple(scene.chapters),
            None if put is None else put.sent_at,
        ),
        report.Story(
            "A one-phase car at a charger that takes only amperes",
            "The partner speaks in W. The meter tells how many phases the car uses, and the limit is made for those.",
            storyline.parties(cast.in_amperes.station_id, "charge point: kirby-ocpp"),
            _before_the_measurement(storyline.ampere_chargers_story(cast), scene),
            (),
            None,
        ),
        report.Story(
            "Meanwhile: a charger that never answers",
            "It has a session and takes the command. The bridge answers in its place, before the timeout it announced.",
            storyline.parties(cast.silent.station_id, "silent charger"),
            _before_the_measurement(storyline.silent_chargers_story(cast), scene),
            (),
            None if silent_put is None else silent_put.sent_at,
        ),
    ]


def _before_the_measurement(messages: list[Message], scene: Scene) -> tuple[Message, ...]:
    began = scene.measurement_began
    return tuple(message for message in messages if began is None or message.at < began)
