"""The OpenAPI 3.1 document of the bridge's interfaces, made of the models that the code uses.

`python -m tools.openapi` writes docs/openapi.json; a test fails while that file says something else than the code.
"""

from tools.openapi.document import document

__all__ = ["document"]
