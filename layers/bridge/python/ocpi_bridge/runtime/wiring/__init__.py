"""The composition root: one module a function, so that a function loads only what it uses.

The retention of sessions is set here, before any of them: no store can write a session with another one by being built
in a new place. A function without the setting writes none.
"""

from ocpi_bridge.runtime.settings import Settings

if (retention := Settings().session_retention) is not None:
    from ocpi_bridge.adapters.dynamodb.session_items import RETENTION

    RETENTION.sessions = retention
