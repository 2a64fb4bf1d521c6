"""Ids of CSMSs."""

import re

# As the registry takes them: they stand in names of secrets, and what could not is nobody's.
_CSMS_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}")


def can_be_csms_id(text: str) -> bool:
    """Whether a CSMS could have this id. For a door that will not read a secret for everybody who knocks."""
    return _CSMS_ID.fullmatch(text) is not None
