"""Bodies of CSMSs on their way into a queue."""

from ocpi_bridge.domain.errors import InvalidInput

# What a queue's messages must not have: two characters that JSON may have as they are, and one that UTF-16 is full of.
_NOT_FOR_QUEUES = ("\ufffe", "\uffff", "\x00")


def queued_text(body: bytes) -> str:
    """The body as a queue takes it. Raises InvalidInput where it cannot: tried again it would fail again."""
    try:
        # A byte order mark may be ignored (RFC 8259, 8.1), and whoever reads JSON from text stumbles over it.
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # JSON may be read from UTF-16 too; what is exchanged has to be UTF-8 (RFC 8259, 8.1).
        raise InvalidInput("body", "is not UTF-8") from error
    if any(character in text for character in _NOT_FOR_QUEUES):
        raise InvalidInput("body", "has a character that is none (U+0000, U+FFFE, U+FFFF)")
    return text
