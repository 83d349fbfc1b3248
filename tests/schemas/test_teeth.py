"""All 52 teeth in three notations, against a table written by hand from the charts, not from the code."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydicom.sr.codedict import codes

from schemas.teeth import (
    DECIDUOUS_TEETH,
    PERMANENT_TEETH,
    Dentition,
    Notation,
    Tooth,
    UnknownTooth,
    in_order,
    parse,
    show,
)
from schemas.tooth_codes import code_meaning, snomed_code

# FDI, Universal, Palmer as text, Palmer with its bracket.
CHART = """
18  1 UR8 8⏌    17  2 UR7 7⏌    16  3 UR6 6⏌    15  4 UR5 5⏌    14  5 UR4 4⏌    13  6 UR3 3⏌    12  7 UR2 2⏌    11  8 UR1 1⏌
21  9 UL1 ⎿1    22 10 UL2 ⎿2    23 11 UL3 ⎿3    24 12 UL4 ⎿4    25 13 UL5 ⎿5    26 14 UL6 ⎿6    27 15 UL7 ⎿7    28 16 UL8 ⎿8
38 17 LL8 ⎾8    37 18 LL7 ⎾7    36 19 LL6 ⎾6    35 20 LL5 ⎾5    34 21 LL4 ⎾4    33 22 LL3 ⎾3    32 23 LL2 ⎾2    31 24 LL1 ⎾1
41 25 LR1 1⏋    42 26 LR2 2⏋    43 27 LR3 3⏋    44 28 LR4 4⏋    45 29 LR5 5⏋    46 30 LR6 6⏋    47 31 LR7 7⏋    48 32 LR8 8⏋
55 A URE E⏌    54 B URD D⏌    53 C URC C⏌    52 D URB B⏌    51 E URA A⏌
61 F ULA ⎿A    62 G ULB ⎿B    63 H ULC ⎿C    64 I ULD ⎿D    65 J ULE ⎿E
75 K LLE ⎾E    74 L LLD ⎾D    73 M LLC ⎾C    72 N LLB ⎾B    71 O LLA ⎾A
81 P LRA A⏋    82 Q LRB B⏋    83 R LRC C⏋    84 S LRD D⏋    85 T LRE E⏋
"""
_cells = CHART.split()
TEETH = [tuple(_cells[n : n + 4]) for n in range(0, len(_cells), 4)]

# The ADA's supernumerary designations, with their neighbour in FDI: the ends of each quadrant, and both lower halves.
SUPERNUMERARY = {
    "51": "18S", "58": "11S", "59": "21S", "66": "28S", "67": "38S", "69": "36S", "74": "31S", "75": "41S", "80": "46S",
    "82": "48S", "AS": "55S", "ES": "51S", "FS": "61S", "JS": "65S", "KS": "75S", "OS": "71S", "PS": "81S", "SS": "84S",
    "TS": "85S",
}  # fmt: skip

identified = st.builds(
    lambda tooth, extra: tooth.model_copy(update={"supernumerary": extra}),
    st.sampled_from([*PERMANENT_TEETH, *DECIDUOUS_TEETH]),
    st.booleans(),
)
unidentified = st.builds(
    Tooth, dentition=st.none(), quadrant=st.none(), position=st.none(), supernumerary=st.booleans()
)
any_tooth = identified | unidentified
notations = st.sampled_from(Notation)


def test_the_chart_has_every_tooth_once() -> None:
    assert len(TEETH) == 52
    for column in zip(*TEETH, strict=True):
        assert len(set(column)) == 52


@pytest.mark.parametrize(("iso", "universal", "palmer", "glyph"), TEETH)
def test_each_tooth_is_the_same_in_every_notation(iso: str, universal: str, palmer: str, glyph: str) -> None:
    tooth = parse(iso, Notation.FDI)
    assert tooth == parse(universal, Notation.UNIVERSAL) == parse(palmer, Notation.PALMER)
    assert tooth == parse(glyph, Notation.PALMER)
    assert tooth.code == iso
    assert show(tooth, Notation.UNIVERSAL) == universal
    assert show(tooth, Notation.PALMER) == palmer
    assert tooth.dentition is (Dentition.PERMANENT if int(iso) < 50 else Dentition.DECIDUOUS)


@pytest.mark.parametrize(("universal", "iso"), SUPERNUMERARY.items())
def test_supernumerary_teeth_follow_the_ada(universal: str, iso: str) -> None:
    tooth = parse(universal, Notation.UNIVERSAL)
    assert tooth.supernumerary
    assert tooth.code == iso
    assert show(tooth, Notation.UNIVERSAL) == universal
    assert parse(iso, Notation.FDI) == tooth


@settings(deadline=None)
@given(any_tooth, notations)
def test_what_is_shown_can_be_read_again(tooth: Tooth, notation: Notation) -> None:
    assert parse(show(tooth, notation), notation) == tooth
    assert parse(show(tooth, notation).lower(), notation) == tooth
    assert Tooth.model_validate_json(tooth.model_dump_json()) == tooth


@settings(deadline=None)
@given(st.lists(any_tooth, max_size=20))
def test_any_order_becomes_the_display_order_with_each_tooth_once(teeth: list[Tooth]) -> None:
    ordered = in_order(teeth)
    assert set(ordered) == set(teeth)
    assert len(ordered) == len(set(ordered))
    assert in_order(reversed(ordered)) == ordered


@pytest.mark.parametrize(
    ("teeth", "expected"),
    [
        ("16 17 18", "18 17 16"),
        ("23 13 21 11 22 12", "13 12 11 21 22 23"),
        ("41 31 42 32 43 33", "33 32 31 41 42 43"),
        ("46 36 26 16", "16 26 36 46"),
        ("85 84 55", "55 84 85"),
        ("? 11S 11 21", "11 11S 21 ?"),
        ("71 72 64 51 48", "48 51 64 72 71"),
        ("", ""),
    ],
)
def test_teeth_are_shown_as_the_chart_is_read(teeth: str, expected: str) -> None:
    assert " ".join(tooth.code for tooth in in_order(parse(one, Notation.FDI) for one in teeth.split())) == expected


@pytest.mark.parametrize(
    ("text", "notation"),
    [
        *[
            (text, Notation.FDI)
            for text in ("", "1", "19", "10", "01", "56", "86", "91", "116", "UR6", "A", "1-6", "١٦")
        ],
        *[
            (text, Notation.UNIVERSAL)
            for text in ("", "0", "33", "50", "83", "99", "132", "U", "16S", "AA", "UR6", "ß")
        ],
        *[(text, Notation.PALMER) for text in ("", "16", "UR9", "UR0", "URF", "RU6", "6⎿", "⏌6", "U6", "6", "ſr6")],
    ],
)
def test_what_is_no_tooth_is_refused(text: str, notation: Notation) -> None:
    with pytest.raises(UnknownTooth) as caught:
        parse(text, notation)
    assert caught.value.status == 422
    assert notation.example in caught.value.detail


def test_a_refusal_never_repeats_what_was_written() -> None:
    with pytest.raises(UnknownTooth) as caught:
        parse("Miller", Notation.FDI)
    assert "Miller" not in f"{caught.value.detail} {caught.value.facts}"


@pytest.mark.parametrize(
    "fields",
    [
        {"dentition": "permanent", "quadrant": 5, "position": 1},
        {"dentition": "permanent", "quadrant": 1, "position": 9},
        {"dentition": "deciduous", "quadrant": 1, "position": 6},
        {"dentition": "deciduous", "quadrant": 0, "position": 1},
        {"dentition": None, "quadrant": 1, "position": 1},
        {"dentition": "permanent", "quadrant": None, "position": None},
        {"dentition": "permanent", "quadrant": 1, "position": None},
    ],
)
def test_a_tooth_that_does_not_exist_cannot_be_made(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Tooth.model_validate(fields)


def test_codes_are_those_of_the_dicom_context_groups() -> None:
    for group, teeth in ((codes.cid4018, PERMANENT_TEETH), (codes.cid4019, DECIDUOUS_TEETH)):
        published = {
            concept.value: concept.meaning.replace("left lateral tooth", "left lateral incisor tooth")
            for concept in group.concepts.values()
        }
        assert {snomed_code(tooth): code_meaning(tooth) for tooth in teeth} == published


@settings(deadline=None)
@given(any_tooth)
def test_what_the_context_groups_lack_has_neither_code_nor_meaning(tooth: Tooth) -> None:
    lacking = tooth.supernumerary or tooth.quadrant is None
    assert lacking == (snomed_code(tooth) is None) == (code_meaning(tooth) is None)
