"""Fields that CSMSs send in JSON, with the bounds of what a charging station can mean."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field


def _number(value: object) -> object:
    """JSON numbers only: a reading that comes as text is a mistake of the sender that should be seen."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("is not a number")
    return value


Number = BeforeValidator(_number)

# 10 GWh on the register, 10 MW, 10 kA, 2 kV, a million of any currency.
Wh = Annotated[Decimal, Number, Field(ge=0, le=10_000_000_000)]
Watt = Annotated[Decimal, Number, Field(ge=-10_000_000, le=10_000_000)]
Ampere = Annotated[Decimal, Number, Field(ge=-10_000, le=10_000)]
Volt = Annotated[Decimal, Number, Field(ge=0, le=2_000)]
Money = Annotated[Decimal, Number, Field(ge=-1_000_000, le=1_000_000)]
Percent = Annotated[Decimal, Number, Field(ge=0, le=100)]

# Partners are told these, tokens only where the driver consents, as CiString(36) (16.1): printable ASCII.
CiString36 = Annotated[str, Field(min_length=1, max_length=36, pattern="^[ -~]+$")]
