"""Payloads in tests/fixtures."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

OCPI = Path(__file__).parents[1] / "fixtures" / "ocpi"


def ocpi_fixture(name: str) -> Any:  # noqa: ANN401 - whatever stands in the file
    """The JSON of `tests/fixtures/ocpi/{name}.json`, exact."""
    return json.loads((OCPI / f"{name}.json").read_text(), parse_float=Decimal)
