"""What the API accepts and answers about the order of images and documents, of a case or of a patient's record, and the words
beside them."""

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


class Notes(Form):
    """Words of the practice beside a document of a record, which has its name already. Teeth as FDI (ISO 3950)."""

    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=DESCRIPTION_LENGTH)] = ""
    teeth: tuple[str, ...] = ()

    @field_validator("teeth")
    @classmethod
    def _are_teeth(cls, teeth: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(tooth.code for tooth in in_order({parse(code, Notation.FDI) for code in teeth}))


class Labels(Notes):
    """Words of the practice beside a study or a file. ``title`` empty: the name that it came with."""

    title: Annotated[str, Line] = ""

    _title = field_validator("title")(_one_line)


class GroupEdit(Form):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=GROUP_NAME_LENGTH)]

    _name = field_validator("name")(_one_line)


class Move(Form):
    """To a group (null: to none), before another item that stands there (null: to its end)."""

    group_id: str | None = None
    before: str | None = None


class ArrangedItemView(BaseModel):
    """A study, a file or a document, in its place. ``is_open``: it may still be moved and described."""

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


class NewGroup(BaseModel):
    id: str
