"""Teeth: stored as ISO 3950:2016 (FDI), shown and read as FDI, Universal (ADA) or Palmer.

ISO 3950: a quadrant digit (1–4 permanent, 5–8 deciduous; upper right, upper left, lower left, lower right) and a
position counted from the midline (1–8, deciduous 1–5).

Universal (American Dental Association): 1–32 clockwise as seen by the examiner, from the upper right third molar to the
lower right one; deciduous A–T likewise. A supernumerary tooth takes its neighbour's number and 50 (51–82), or its
neighbour's letter and S (AS–TS).

Palmer: the position within a bracket that shows the quadrant, deciduous positions as A–E; as text UR6, ULA, LL4.

ISO 3950 and Palmer have no supernumerary teeth of their own: here they carry the neighbour's designation and S (11S, UR1S).
"16" is another tooth in FDI than in Universal, and "51" another kind of tooth: nothing here guesses a notation.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

from schemas.errors import InvalidInput
from schemas.translation import N_


class UnknownTooth(InvalidInput):
    """What was written is not repeated: it may be anything, a name too."""

    code = "unknown_tooth"
    title = N_("This is not a tooth in the chosen notation.")

    def __init__(self, notation: "Notation") -> None:
        detail = f"This is not a tooth in {notation.label} notation; write it as in {notation.example}."
        super().__init__(detail, notation=notation.value)


class Notation(StrEnum):
    """How teeth are written: a preference of the practice or the person, never of the stored data."""

    FDI = "fdi"
    UNIVERSAL = "universal"
    PALMER = "palmer"

    @property
    def label(self) -> str:
        """As the field writes the name."""
        return {"fdi": "FDI", "universal": "Universal", "palmer": "Palmer"}[self.value]

    @property
    def example(self) -> str:
        """A permanent and a deciduous tooth."""
        return {"fdi": "16 or 55", "universal": "3 or A", "palmer": "UR6 or URE"}[self.value]


class Dentition(StrEnum):
    PERMANENT = "permanent"
    DECIDUOUS = "deciduous"


UNIDENTIFIED_CODE: Final = "?"


class Tooth(BaseModel):
    """One tooth: ``quadrant`` 1–4 (upper right, upper left, lower left, lower right) and ``position`` from the midline.

    ``supernumerary``: an extra tooth beside the one named. An unidentified tooth has none of the three.
    """

    model_config = ConfigDict(frozen=True)

    dentition: Dentition | None
    quadrant: int | None
    position: int | None
    supernumerary: bool = False

    @model_validator(mode="after")
    def _exists(self) -> Self:
        if self.dentition is None and self.quadrant is None and self.position is None:
            return self
        if self.dentition is None or self.quadrant is None or self.position is None:
            raise ValueError("a tooth has dentition, quadrant and position, or is unidentified")
        if self.quadrant not in _QUADRANTS or not 1 <= self.position <= _LAST_POSITION[self.dentition]:
            raise ValueError("there is no such tooth")
        return self

    @property
    def code(self) -> str:
        """As stored: ``16``, ``55``, ``11S`` beside 11, ``?`` unidentified."""
        return show(self, Notation.FDI)


_QUADRANTS: Final = {1: "UR", 2: "UL", 3: "LL", 4: "LR"}
_LAST_POSITION: Final = {Dentition.PERMANENT: 8, Dentition.DECIDUOUS: 5}
_ADA_SUPERNUMERARY: Final = 50


def _arch(dentition: Dentition) -> tuple[Tooth, ...]:
    """All teeth of a dentition, clockwise from the upper right: towards the midline on the right above, and so on."""
    last = _LAST_POSITION[dentition]
    inward, outward = range(last, 0, -1), range(1, last + 1)
    return tuple(
        Tooth(dentition=dentition, quadrant=quadrant, position=position)
        for quadrant, positions in ((1, inward), (2, outward), (3, inward), (4, outward))
        for position in positions
    )


PERMANENT_TEETH: Final = _arch(Dentition.PERMANENT)
DECIDUOUS_TEETH: Final = _arch(Dentition.DECIDUOUS)
_CLOCKWISE: Final = {tooth: place for place, tooth in enumerate((*PERMANENT_TEETH, *DECIDUOUS_TEETH))}
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRST"

_FDI_TEXT: Final = re.compile(r"([1-8])\.?([1-8])(S?)", re.ASCII)
_UNIVERSAL_TEXT: Final = re.compile(r"#?(?:0?([1-9][0-9]?)|([A-T])(S?))", re.ASCII)
_PALMER_TEXT: Final = re.compile(r"(UR|UL|LL|LR) ?([1-8A-E])(S?)", re.ASCII)
# The bracket's corner is the midline of the chart as the examiner sees it (Unicode "dentistry symbol light …"); the
# box-drawing corners (┘ └ ┌ ┐) are what people type for the dental ones.
_PALMER_RIGHT: Final = re.compile(r"([1-8A-E])(S?)([⏌┘⏋┐])")
_PALMER_LEFT: Final = re.compile(r"([⎿└⎾┌])([1-8A-E])(S?)")
_QUADRANT_OF: Final = {name: quadrant for quadrant, name in _QUADRANTS.items()} | dict(
    zip("⏌⎿⎾⏋┘└┌┐", (1, 2, 3, 4, 1, 2, 3, 4), strict=True)
)


def parse(text: str, notation: Notation) -> Tooth:
    """Read one tooth; ``?`` (with S: supernumerary) is unidentified. Raises UnknownTooth."""
    # Only ASCII letters change case: "ß" must not become the tooth "SS".
    text = "".join(letter.upper() if letter.isascii() else letter for letter in text.strip())
    if text in {UNIDENTIFIED_CODE, UNIDENTIFIED_CODE + "S"}:
        return Tooth(dentition=None, quadrant=None, position=None, supernumerary=text.endswith("S"))
    reader = {Notation.FDI: _parse_fdi, Notation.UNIVERSAL: _parse_universal, Notation.PALMER: _parse_palmer}[notation]
    tooth = reader(text)
    if tooth is None:
        raise UnknownTooth(notation)
    return tooth


def _make(dentition: Dentition, quadrant: int, position: int, *, supernumerary: bool) -> Tooth | None:
    if position > _LAST_POSITION[dentition]:
        return None
    return Tooth(dentition=dentition, quadrant=quadrant, position=position, supernumerary=supernumerary)


def _parse_fdi(text: str) -> Tooth | None:
    if not (match := _FDI_TEXT.fullmatch(text)):
        return None
    digit, position = int(match[1]), int(match[2])
    dentition = Dentition.PERMANENT if digit <= len(_QUADRANTS) else Dentition.DECIDUOUS
    return _make(dentition, (digit - 1) % len(_QUADRANTS) + 1, position, supernumerary=bool(match[3]))


def _parse_universal(text: str) -> Tooth | None:
    if not (match := _UNIVERSAL_TEXT.fullmatch(text)):
        return None
    if match[2]:
        tooth = DECIDUOUS_TEETH[_LETTERS.index(match[2])]
        return tooth.model_copy(update={"supernumerary": bool(match[3])})
    extra, number = divmod(int(match[1]) - 1, _ADA_SUPERNUMERARY)
    if number >= len(PERMANENT_TEETH):
        return None
    return PERMANENT_TEETH[number].model_copy(update={"supernumerary": bool(extra)})


def _parse_palmer(text: str) -> Tooth | None:
    if match := _PALMER_RIGHT.fullmatch(text):
        place, extra, quadrant = match.groups()
    elif match := _PALMER_TEXT.fullmatch(text) or _PALMER_LEFT.fullmatch(text):
        quadrant, place, extra = match.groups()
    else:
        return None
    dentition = Dentition.PERMANENT if place.isdigit() else Dentition.DECIDUOUS
    position = int(place) if place.isdigit() else _LETTERS.index(place) + 1
    return _make(dentition, _QUADRANT_OF[quadrant], position, supernumerary=bool(extra))


def show(tooth: Tooth, notation: Notation) -> str:
    """The tooth as text: ``16`` (FDI), ``3`` (Universal), ``UR6`` (Palmer). What is shown can be parsed again."""
    extra = "S" if tooth.supernumerary else ""
    if tooth.dentition is None or tooth.quadrant is None or tooth.position is None:
        return UNIDENTIFIED_CODE + extra
    match notation:
        case Notation.FDI:
            digit = tooth.quadrant + (len(_QUADRANTS) if tooth.dentition is Dentition.DECIDUOUS else 0)
            return f"{digit}{tooth.position}{extra}"
        case Notation.UNIVERSAL:
            teeth = PERMANENT_TEETH if tooth.dentition is Dentition.PERMANENT else DECIDUOUS_TEETH
            place = teeth.index(_neighbour(tooth))
            if tooth.dentition is Dentition.DECIDUOUS:
                return _LETTERS[place] + extra
            return str(place + 1 + (_ADA_SUPERNUMERARY if tooth.supernumerary else 0))
        case Notation.PALMER:
            return _QUADRANTS[tooth.quadrant] + _palmer_position(tooth) + extra


def _palmer_position(tooth: Tooth) -> str:
    position = tooth.position or 0
    return str(position) if tooth.dentition is Dentition.PERMANENT else _LETTERS[position - 1]


def _neighbour(tooth: Tooth) -> Tooth:
    return tooth.model_copy(update={"supernumerary": False}) if tooth.supernumerary else tooth


def written(codes: Iterable[str], notation: Notation) -> tuple[str, ...]:
    """Stored codes as somebody writes teeth, in the order of the arches."""
    return tuple(show(tooth, notation) for tooth in in_order(parse(code, Notation.FDI) for code in codes))


def in_order(teeth: Iterable[Tooth]) -> tuple[Tooth, ...]:
    """Each tooth once, in display order: clockwise from the upper right, permanent teeth before deciduous ones.

    A supernumerary tooth follows its neighbour; unidentified teeth come last.
    """
    return tuple(
        sorted(
            dict.fromkeys(teeth),
            key=lambda tooth: (_CLOCKWISE.get(_neighbour(tooth), len(_CLOCKWISE)), tooth.supernumerary, tooth.code),
        )
    )
