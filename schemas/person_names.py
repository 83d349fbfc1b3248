"""Names of people: read from DICOM, folded, and compared with the tolerance that spelling needs and no more.

DICOM PS3.5 §6.2.1 (PN): up to three groups (alphabetic, ideographic, phonetic) joined by ``=``, each of up to five
components (family, given, middle, prefix, suffix) joined by ``^``. Prefix and suffix identify nobody and are left out.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from schemas.identity_reasons import MEANINGS, ReasonCode, Verdict


class PersonName(BaseModel):
    """One group of a name. All parts may be empty."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    family: str = ""
    given: str = ""
    middle: str = ""

    @property
    def all_given(self) -> str:
        return f"{self.given} {self.middle}".strip()

    @property
    def whole(self) -> str:
        return f"{self.family} {self.all_given}".strip()


_GROUPS, _COMPONENTS = 3, 3
_LONGEST: Final = 3 * 64 * 4
"""Characters read: the standard allows 64 a group, files write more."""


def parse_person_name(text: str) -> tuple[PersonName, ...]:
    """The groups of a PN value that hold a name. ``Miller, Anna`` without components is read as family and given."""
    names = []
    for group in text[:_LONGEST].replace("\0", "").split("=")[:_GROUPS]:
        parts = group.split("^")
        if len(parts) == 1 and group.count(",") == 1:
            parts = group.split(",")
        family, given, middle = (*parts, "", "")[:_COMPONENTS]
        name = PersonName(family=family, given=given, middle=middle)
        if _words(name.whole):
            names.append(name)
    return tuple(names)


_APOSTROPHES: Final = str.maketrans("", "", "'’‘ʼʻ`´′")
# Letters that Unicode does not decompose into a base letter and a mark.
_BASE_LETTERS: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŧ": "t"}
)
_FIRST_MARK, _LAST_MARK = "\u0300", "\u036f"
_TRANSLITERATED: Final = frozenset("äöüåøæœ")
_DIGRAPHS: Final = re.compile(r"(a)[ae]+|([ou])e+")


def _words(text: str) -> tuple[str, ...]:
    """Words without case, diacritics, apostrophes and punctuation: ``Anne-Marie O'Neill`` → ``anne marie oneill``.

    Only the marks of Latin, Greek and Cyrillic letters go; those of other scripts tell letters apart.
    """
    folded = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).casefold().translate(_BASE_LETTERS)
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not _FIRST_MARK <= c <= _LAST_MARK)
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in unicodedata.normalize("NFC", bare))
    return tuple("".join(kept).split())


def _collapse(words: tuple[str, ...]) -> tuple[str, ...]:
    """``mueller`` and ``muller`` become one: the digraphs that stand for ä, ö, ü, å, ø, æ lose what follows."""
    return tuple(_DIGRAPHS.sub(lambda match: match[1] or match[2], word) for word in words)


def fold_tokens(text: str) -> tuple[str, ...]:
    """The tokens of a name for the blind search index, each once: all transliterations of a name give the same ones.

    It finds generously (Müller, Mueller and Muller are one token; so are Joel and Jol) and decides nothing.
    """
    return tuple(dict.fromkeys(_collapse(_words(text))))


class _Part(NamedTuple):
    """A part of a name, folded once."""

    text: str
    words: tuple[str, ...]
    collapsed: tuple[str, ...]
    transliterated: bool
    """Whether it shows a letter that others write as a digraph."""


class _Parts(NamedTuple):
    family: _Part
    given: _Part
    whole: _Part


def _part(text: str) -> _Part:
    words = _words(text)
    shown = not _TRANSLITERATED.isdisjoint(unicodedata.normalize("NFC", text).casefold())
    return _Part(text, words, _collapse(words), shown)


def _parts(name: PersonName) -> _Parts:
    return _Parts(_part(name.family), _part(name.all_given), _part(name.whole))


def _pair(a: _Part, b: _Part) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of two spellings. Digraphs count as umlauts only where one of them shows an umlaut.

    So Müller is both Mueller and Muller, but Mueller and Muller differ by a letter.
    """
    if a.transliterated or b.transliterated:
        return a.collapsed, b.collapsed
    return a.words, b.words


def _equal(a: _Part, b: _Part) -> bool:
    """Equal but for word breaks: Anne-Marie, Annemarie, Anne Marie."""
    left, right = _pair(a, b)
    return bool(left) and "".join(left) == "".join(right)


def _same_words(a: _Part, b: _Part) -> bool:
    left, right = _pair(a, b)
    return bool(left) and sorted(left) == sorted(right)


def _one_letter_apart(a: _Part, b: _Part) -> bool:
    """One letter added, lost or changed, or two neighbours exchanged, in a name of four letters or more. Never a digit."""
    shorter, longer = sorted(("".join(words) for words in _pair(a, b)), key=len)
    if not shorter or len(longer) < 4 or len(longer) - len(shorter) > 1:
        return False
    if re.findall(r"\d", shorter) != re.findall(r"\d", longer):
        return False
    at = next((n for n, letter in enumerate(shorter) if letter != longer[n]), len(shorter))
    left, right = shorter[at:], longer[at:]
    if len(left) < len(right):
        return left == right[1:]
    return left[1:] == right[1:] or left == right[1::-1] + right[2:]


# Words that are a part of many family names and a family name of none.
_PARTICLES: Final = frozenset(
    (
        "de",
        "del",
        "della",
        "da",
        "di",
        "dos",
        "du",
        "la",
        "le",
        "el",
        "al",
        "bin",
        "ibn",
        "van",
        "von",
        "der",
        "den",
        "zu",
    )
)


def _fewer(a: _Part, b: _Part) -> bool:
    """One side has only some of the other's words, or none: Anna of Anna Maria, García of García López."""
    fewer, more = sorted(_pair(a, b), key=len)
    if len(fewer) == len(more) or (fewer and set(fewer) <= _PARTICLES):
        return False
    return set(fewer) <= set(more) and all(len(word) > 1 for word in fewer)


def _initials(a: _Part, b: _Part) -> bool:
    """Word by word equal or an initial of the other, as far as the shorter side goes. Only scripts with case have any."""
    pairs = list(zip(*_pair(a, b), strict=False))
    shortened = [(x, y) for x, y in pairs if 1 in (len(x), len(y))]
    return (
        bool(shortened)
        and all(x[0] == y[0] != y[0].upper() for x, y in shortened)
        and all(x == y for x, y in pairs if (x, y) not in shortened)
    )


_LOST: Final = re.compile("[?\ufffd]+")


def _damaged(a: _Part, b: _Part) -> bool:
    """``M?ller`` and Müller: one side lost letters to a wrong character set, but its beginning and end agree."""
    for damaged, other in ((a, b), (b, a)):
        parts = _LOST.split(damaged.text)
        begin, end = "".join(_words(parts[0])), "".join(_words(parts[-1]))
        whole, known = "".join(other.words), len("".join(damaged.words))
        fits = len(parts) > 1 and 2 <= known <= len(whole) <= known + 3 * len(parts)
        if fits and whole.startswith(begin) and whole.endswith(end):
            return True
    return False


def _scripts(part: _Part) -> set[str]:
    letters = {letter for word in part.words for letter in word if letter.isalpha()}
    return {re.split("[ -]", unicodedata.name(letter, ""), maxsplit=1)[0] for letter in letters}


# What devices and anonymisers write when they have no name.
_PLACEHOLDERS: Final = frozenset(
    ["anon", "anonymous", "anonymized", "anonymised", "unknown", "unbekannt", "noname", "patient"]
)


def is_named(name: PersonName) -> bool:
    """Whether it is a name at all: not empty, not a number, not a placeholder."""
    words = _words(name.whole)
    return any(letter.isalpha() for word in words for letter in word) and not set(words) <= _PLACEHOLDERS


def _readings(name: PersonName) -> tuple[PersonName, ...]:
    """What a name written in one piece may mean beside what it says: the family name first, or last."""
    words = name.family.split()
    if name.all_given or len(words) < 2:
        return ()
    family_first = PersonName(family=words[0], given=" ".join(words[1:]))
    family_last = PersonName(family=words[-1], given=" ".join(words[:-1]))
    return family_first, family_last


def compare_names(a: PersonName, b: PersonName) -> ReasonCode:
    """How two names relate, the closest relation that holds. Symmetric.

    At most one deviation is tolerated: a typo beside an initial, or one in each name, makes another name.
    """
    if not (is_named(a) and is_named(b)):
        return ReasonCode.NAME_MISSING
    left, right = _parts(a), _parts(b)
    if _scripts(left.whole).isdisjoint(_scripts(right.whole)):
        return ReasonCode.NAME_OTHER_SCRIPT
    if code := next(_relations(left, right), None):
        return code
    read_left, read_right = [left, *map(_parts, _readings(a))], [right, *map(_parts, _readings(b))]
    if any(next(_relations(x, y), None) for x in read_left for y in read_right):
        return ReasonCode.NAME_REARRANGED
    return ReasonCode.NAME_DIFFERENT


def _relations(a: _Parts, b: _Parts) -> Iterator[ReasonCode]:
    """The relations that hold, the closest first; none between different names."""
    family, given = _equal(a.family, b.family), _equal(a.given, b.given)
    if family and given:
        yield ReasonCode.NAME_EQUAL
    if _equal(a.family, b.given) and _equal(a.given, b.family):
        yield ReasonCode.NAME_SWAPPED
    if _same_words(a.whole, b.whole):
        yield ReasonCode.NAME_REARRANGED
    if (family or _damaged(a.family, b.family)) and (given or _damaged(a.given, b.given)):
        yield ReasonCode.NAME_DAMAGED
    if family and _fewer(a.given, b.given):
        yield ReasonCode.NAME_FEWER_GIVEN
    if family and _initials(a.given, b.given):
        yield ReasonCode.NAME_INITIALS
    if given and _fewer(a.family, b.family):
        yield ReasonCode.NAME_FEWER_FAMILY
    if (family and _one_letter_apart(a.given, b.given)) or (given and _one_letter_apart(a.family, b.family)):
        yield ReasonCode.NAME_TYPO


def compare_name_groups(a: tuple[PersonName, ...], b: tuple[PersonName, ...]) -> ReasonCode:
    """How two people's names relate over all their groups (scripts): the closest relation, unless another contradicts."""
    codes = [compare_names(x, y) for x in a for y in b]
    telling = [code for code in codes if MEANINGS[code].verdict is not Verdict.SILENT]
    if not telling:
        return ReasonCode.NAME_OTHER_SCRIPT if ReasonCode.NAME_OTHER_SCRIPT in codes else ReasonCode.NAME_MISSING
    closest = min(telling, key=list(MEANINGS).index)
    if closest is not ReasonCode.NAME_DIFFERENT and ReasonCode.NAME_DIFFERENT in telling:
        return ReasonCode.NAME_ONE_SCRIPT
    return closest
