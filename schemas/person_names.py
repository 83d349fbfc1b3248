"""Names of people: read from DICOM, folded, and compared with the tolerance that spelling needs and no more.

DICOM PS3.5 §6.2.1 (PN): up to three groups (alphabetic, ideographic, phonetic) joined by ``=``, each of up to five
components (family, given, middle, prefix, suffix) joined by ``^``. Prefix and suffix identify nobody and are left out.
"""

import re
import unicodedata
from typing import Final

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


def parse_person_name(text: str) -> tuple[PersonName, ...]:
    """The groups of a PN value that hold a name. ``Miller, Anna`` without components is read as family and given."""
    names = []
    for group in text.replace("\0", "").split("=")[:_GROUPS]:
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
_DIGRAPHS: Final = re.compile(r"(a)a*e*|([ou])e+")


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


def _pair(a: str, b: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of two spellings. Digraphs count as umlauts only where one of them shows an umlaut.

    So Müller is both Mueller and Muller, but Mueller and Muller differ by a letter.
    """
    words = _words(a), _words(b)
    if _TRANSLITERATED.isdisjoint(unicodedata.normalize("NFC", a + b).casefold()):
        return words
    return _collapse(words[0]), _collapse(words[1])


def _equal(a: str, b: str) -> bool:
    """Equal but for word breaks: Anne-Marie, Annemarie, Anne Marie."""
    left, right = _pair(a, b)
    return bool(left) and "".join(left) == "".join(right)


def _same_words(a: str, b: str) -> bool:
    left, right = _pair(a, b)
    return bool(left) and sorted(left) == sorted(right)


def _one_letter_apart(a: str, b: str) -> bool:
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
    [
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
        "ten",
        "ter",
        "zu",
    ]
)


def _fewer(a: str, b: str) -> bool:
    """One side has only some of the other's words, or none: Anna of Anna Maria, García of García López."""
    fewer, more = sorted(_pair(a, b), key=len)
    if len(fewer) == len(more) or (fewer and set(fewer) <= _PARTICLES):
        return False
    return set(fewer) <= set(more) and all(len(word) > 1 for word in fewer)


def _initials(a: str, b: str) -> bool:
    """Word by word equal or an initial of the other, as far as the shorter side goes. Only scripts with case have any."""
    pairs = list(zip(*_pair(a, b), strict=False))
    return bool(pairs) and all(x == y or (1 in (len(x), len(y)) and x[0] == y[0] != y[0].upper()) for x, y in pairs)


_LOST: Final = re.compile("[?\ufffd]+")


def _damaged(a: str, b: str) -> bool:
    """``M?ller`` and Müller: one side lost letters to a wrong character set, but its beginning and end agree."""
    for damaged, other in ((a, b), (b, a)):
        parts = _LOST.split(damaged)
        begin, end, whole = "".join(_words(parts[0])), "".join(_words(parts[-1])), "".join(_words(other))
        known = len("".join(_words(damaged)))
        if len(parts) > 1 and 2 <= known <= len(whole) <= known + 3 * len(parts):
            return whole.startswith(begin) and whole.endswith(end)
    return False


def _scripts(name: PersonName) -> set[str]:
    letters = (letter for word in _words(name.whole) for letter in word if letter.isalpha())
    return {re.split("[ -]", unicodedata.name(letter, ""), maxsplit=1)[0] for letter in letters}


# What devices and anonymisers write when they have no name.
_PLACEHOLDERS: Final = frozenset(
    ["anon", "anonymous", "anonymized", "anonymised", "unknown", "unbekannt", "noname", "patient"]
)


def _is_named(name: PersonName) -> bool:
    words = _words(name.whole)
    return bool(words) and not set(words) <= _PLACEHOLDERS


def _readings(name: PersonName) -> tuple[PersonName, ...]:
    """What a name written in one piece may mean: the family name first, or last."""
    words = name.family.split()
    if name.all_given or len(words) < 2:
        return (name,)
    family_first = PersonName(family=words[0], given=" ".join(words[1:]))
    family_last = PersonName(family=words[-1], given=" ".join(words[:-1]))
    return name, family_first, family_last


def compare_names(a: PersonName, b: PersonName) -> ReasonCode:
    """How two names relate, the closest relation that holds. Symmetric.

    At most one deviation is tolerated: a typo beside an initial, or one in each name, makes another name.
    """
    if not (_is_named(a) and _is_named(b)):
        return ReasonCode.NAME_MISSING
    if _scripts(a).isdisjoint(_scripts(b)):
        return ReasonCode.NAME_OTHER_SCRIPT
    codes = [_compare_parts(x, y) for x in _readings(a) for y in _readings(b)]
    if codes[0] is ReasonCode.NAME_DIFFERENT and set(codes) != {ReasonCode.NAME_DIFFERENT}:
        return ReasonCode.NAME_REARRANGED
    return codes[0]


def _compare_parts(a: PersonName, b: PersonName) -> ReasonCode:
    families, givens = (a.family, b.family), (a.all_given, b.all_given)
    family, given = _equal(*families), _equal(*givens)
    differing = givens if family else families
    rules = (
        (family and given, ReasonCode.NAME_EQUAL),
        (_equal(a.family, b.all_given) and _equal(a.all_given, b.family), ReasonCode.NAME_SWAPPED),
        (_same_words(a.whole, b.whole), ReasonCode.NAME_REARRANGED),
        (family and _initials(*givens), ReasonCode.NAME_INITIALS),
        (family and _fewer(*givens), ReasonCode.NAME_FEWER_GIVEN),
        (given and _fewer(*families), ReasonCode.NAME_FEWER_FAMILY),
        ((family or given) and _one_letter_apart(*differing), ReasonCode.NAME_TYPO),
        ((family or _damaged(*families)) and (given or _damaged(*givens)), ReasonCode.NAME_DAMAGED),
    )
    return next((code for holds, code in rules if holds), ReasonCode.NAME_DIFFERENT)


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
