"""What the API accepts and answers about the order of a case's images and documents, and the words beside them."""

from typing import Annotated

from pydantic import BaseModel, StringConstraints, field_validator

from schemas.forms import Form
from schemas.teeth import Notation, in_order, parse

TITLE_LENGTH = 255
DESCRIPTION_LENGTH = 1000
GROUP_NAME_LENGTH = 120

Line = StringConstraints(strip_whitespace=True, max_length=TITLE_LENGTH)


def _one_line(text: str) -> str:
    if text and not text.isprintable():
        raise ValueError("one line of letters")
    return text


class Labels(Form):
    """Words of the practice beside a study or a file. Empty: the name that it came with. Teeth as FDI (ISO 3950)."""

    title: Annotated[str, Line] = ""
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=DESCRIPTION_LENGTH)] = ""
    teeth: tuple[str, ...] = ()

    _title = field_validator("title")(_one_line)

    @field_validator("teeth")
    @classmethod
    def _are_teeth(cls, teeth: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(tooth.code for tooth in in_order({parse(code, Notation.FDI) for code in teeth}))


class GroupEdit(Form):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=GROUP_NAME_LENGTH)]

    _name = field_validator("name")(_one_line)


class Move(Form):
    """To a group (null: to none), before another item that stands there (null: to its end)."""

    group_id: str | None = None
    before: str | None = None


class ArrangedItemView(BaseModel):
    """A study or a file, in its place. ``is_open``: it may still be moved and described."""

    id: str
    labels: Labels
    is_open: bool


class ArrangedGroupView(BaseModel):
    """``id`` and ``name`` are null for what stands under no heading, which comes first."""

    id: str | None
    name: str | None
    items: list[ArrangedItemView]


class ArrangementView(BaseModel):
    groups: list[ArrangedGroupView]
