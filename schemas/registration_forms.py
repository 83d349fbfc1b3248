"""A radiologist's registrations: what is said about one, and the moment after its last day.

The last day counts to its end in UTC, wherever the registration is from.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from schemas.forms import Form

_ISO_3166: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def _a_code(value: str) -> str:
    if value and not _ISO_3166.fullmatch(value):
        raise ValueError("this is not an ISO 3166 code such as CH or US-CA")
    return value


OptionalJurisdiction = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, max_length=16), AfterValidator(_a_code)
]
"""ISO 3166-1 or 3166-2 code of a country or state, or nothing."""
Jurisdiction = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=16), AfterValidator(_a_code)
]
LastDay = Annotated[date, Field(ge=date(1950, 1, 1), le=date(2199, 12, 31))]
"""Earlier or later is a slip of the pen."""


class RegistrationFacts(Form):
    """What can change about a registration."""

    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    valid_until: LastDay | None = Field(None, description="The last day, to its end in UTC; null: without an end.")


class NewRegistration(RegistrationFacts):
    jurisdiction: Jurisdiction = Field(description="ISO 3166 code of the country or state that gave the licence.")


class ChangedRegistration(RegistrationFacts):
    was: RegistrationFacts = Field(description="What it was when it was read; refused where it is something else now.")


class RegistrationView(BaseModel):
    """``lapsed``: its last day is over, so its holder gets no new case there."""

    id: str
    jurisdiction: str
    number: str
    valid_until: date | None
    lapsed: bool


def moment_after(last_day: date | None) -> datetime | None:
    """From when on a registration is no longer valid, as the table keeps it."""
    return datetime.combine(last_day + timedelta(days=1), time(), UTC) if last_day else None


def last_day_before(moment: datetime | None) -> date | None:
    return (moment - timedelta(microseconds=1)).astimezone(UTC).date() if moment else None
