"""Two dashboards with a purpose each: does smart charging work, and does the machine that does it."""

from infra.constructs.dashboards.engine_room import EngineRoomDashboard
from infra.constructs.dashboards.service import ServiceDashboard

__all__ = ["EngineRoomDashboard", "ServiceDashboard"]
