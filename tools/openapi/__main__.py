"""Writes docs/openapi.json."""

import json
from pathlib import Path
from typing import Final

from tools.openapi import document

PATH: Final = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def text() -> str:
    """The document as it stands in the file."""
    return json.dumps(document(), indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(text())
    print(f"wrote {PATH.name}")
