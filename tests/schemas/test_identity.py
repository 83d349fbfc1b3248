"""Wrong-patient protection: what is the same person, what may be, what is another, and who is in which file."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.clinical import Sex
from schemas.identity import (
    IdentityComparison,
    IdentityOutcome,
    PersonIdentity,
    ReasonCode,
    Verdict,
    combine,
    compare,
    distinct_patients,
    fold_tokens,
    parse_birth_date,
    parse_person_name,
)

EXACT, PROBABLE = IdentityOutcome.EXACT, IdentityOutcome.PROBABLE
CONTRADICTORY, ABSENT = IdentityOutcome.CONTRADICTORY, IdentityOutcome.ABSENT


def person(name: str, born: str = "19840217", sex: str = "F", number: str = "", issuer: str = "") -> PersonIdentity:
    return PersonIdentity.from_dicom(patient_name=name, birth_date=born, sex=sex, patient_id=number, issuer=issuer)


def test_dicom_values_are_read() -> None:
    read = person("Yamada^Tarou^Ken^Dr.^Jr=山田^太郎=やまだ^たろう", " 1984.02.17", "m ", "00123 ", "ISSUER\0")
    assert (read.family, read.given, read.middle) == ("Yamada", "Tarou", "Ken")
    assert [name.family for name in read.other_names] == ["山田", "やまだ"]
    assert (read.birth_date, read.sex) == (date(1984, 2, 17), Sex.MALE)
    assert (read.patient_id, read.issuer) == ("00123", "ISSUER")
    assert parse_person_name("=山田^太郎")[0].given == "太郎"
    assert parse_person_name("Miller, Anna")[0].given == "Anna"
    assert parse_person_name("^^^=") == ()


@pytest.mark.parametrize(
    "text", ["", None, "1984", "19841317", "19840230", "1984-02-17", "19000101", "00010101", "١٩٨٤٠٢١٧"]
)
def test_a_date_that_says_nothing_is_missing(text: str | None) -> None:
    assert parse_birth_date(text) is None


def test_bytes_of_an_unknown_character_set_do_not_stop_the_comparison() -> None:
    found = person("M\udcfcller^Anna", number="1\udcff", issuer="A")
    assert compare(person("Müller^Anna"), found).outcome is PROBABLE
    assert found == PersonIdentity.model_validate_json(found.model_dump_json())


SAME_NAMES = [
    ("Müller^Jürgen", "MUELLER^JUERGEN"),
    ("Müller^Jürgen", "muller^jurgen^^Dr."),
    ("Mu\u0308ller^Anna", "Müller^Anna"),
    ("Weiß^Anna", "WEISS^ANNA"),
    ("Sørensen^Åse", "SOERENSEN^AASE"),
    ("Sørensen^Åse", "Sorensen^Ase"),
    ("Łukasz^Zoë", "lukasz^zoe"),
    ("O'Neill^Anne-Marie", "ONEILL^Anne Marie"),
    ("O’Neill^Anne-Marie", "O'Neill^Annemarie"),
    ("de la Cruz^Ana", "De La Cruz^Ana"),
    ("de la Cruz^Ana", "DELACRUZ^ANA"),
    ("Miller^Anna^Maria", "Miller^Anna Maria"),
    ("Miller^Anna", "Miller, Anna"),
    ("İnan^Işık", "inan^isik"),
    ("山田^太郎", "Yamada^Tarou=山田^太郎"),
    ("Ivanov^Ivan=Иванов^Иван", "ИВАНОВ^ИВАН"),
]
LIKE_NAMES = [
    ("Miller^Anna", "Anna^Miller", ReasonCode.NAME_SWAPPED),
    ("Müller^Anna", "Anna^Mueller", ReasonCode.NAME_SWAPPED),
    ("Miller^Anna", "MILLER ANNA", ReasonCode.NAME_REARRANGED),
    ("Miller^Anna", "Anna Miller", ReasonCode.NAME_REARRANGED),
    ("Miller^Anna^Maria", "Miller^Maria Anna", ReasonCode.NAME_REARRANGED),
    ("Miller^Anna", "Miller A", ReasonCode.NAME_REARRANGED),
    ("Miller^Anna", "Miller^A.", ReasonCode.NAME_INITIALS),
    ("Miller^Anna^Maria", "Miller^A^M", ReasonCode.NAME_INITIALS),
    ("Miller^Anna^Maria", "Miller^Anna^M.", ReasonCode.NAME_INITIALS),
    ("Miller^Anna^Maria", "Miller^A", ReasonCode.NAME_INITIALS),
    ("Miller^Anna^Maria", "Miller^Anna", ReasonCode.NAME_FEWER_GIVEN),
    ("Miller^Anna Maria", "Miller^Maria", ReasonCode.NAME_FEWER_GIVEN),
    ("Miller^Anna", "Miller", ReasonCode.NAME_FEWER_GIVEN),
    ("García López^Ana", "Garcia^Ana", ReasonCode.NAME_FEWER_FAMILY),
    ("Miller-Schmidt^Anna", "Schmidt^Anna", ReasonCode.NAME_FEWER_FAMILY),
    ("Miller^Anna", "Millar^Anna", ReasonCode.NAME_TYPO),
    ("Miller^Anna", "Miler^Anna", ReasonCode.NAME_TYPO),
    ("Miller^Anna", "Millerr^Anna", ReasonCode.NAME_TYPO),
    ("Miller^Anna", "Imller^Anna", ReasonCode.NAME_TYPO),
    ("Miller^Anna", "Millre^Anna", ReasonCode.NAME_TYPO),
    ("Mueller^Anna", "Muller^Anna", ReasonCode.NAME_TYPO),
    ("Miller^Michael", "Miller^Michal", ReasonCode.NAME_TYPO),
    ("Miller^Lena", "Miller^Lina", ReasonCode.NAME_TYPO),
    ("Müller^Jürg", "M?ller^J?rg", ReasonCode.NAME_DAMAGED),
    ("Müller^Anna", "M\ufffd\ufffdller^Anna", ReasonCode.NAME_DAMAGED),
    ("Yamada^Tarou=山田^太郎", "Yamada^Tarou=山田^太朗", ReasonCode.NAME_ONE_SCRIPT),
    ("Ivanov^Ivan", "Иванов^Иван", ReasonCode.NAME_OTHER_SCRIPT),
    ("Miller^Anna", "", ReasonCode.NAME_MISSING),
    ("Miller^Anna", "ANONYMOUS", ReasonCode.NAME_MISSING),
    ("Miller^Anna", "Unknown^Patient", ReasonCode.NAME_MISSING),
    ("Miller^Anna", "0815^4711", ReasonCode.NAME_MISSING),
]
OTHER_NAMES = [
    ("Miller^Anna", "Smith^Anna"),
    ("Miller^Anna", "Miller^Berta"),
    ("Miller^Anna", "Miller^B"),
    ("Miller^Ann", "Miller^Amy"),
    ("Lee^Jo", "Lee^Jon"),  # three letters or fewer: another name
    ("Miller^Anna", "Millar^Ana"),  # one letter in each
    ("Miller^Anna", "Millar^A"),  # a letter beside an initial
    ("Miller^Anna", "Mallar^Anna"),  # two letters
    ("Patient1^Test", "Patient2^Test"),
    ("de la Cruz^Ana", "de^Ana"),
    ("van Dijk^Jan", "van Berg^Jan"),
    ("Müller^Anna", "M?^Anna"),
    ("Müller^Anna", "W?ller^Anna"),
    ("山田^明", "山田^明子"),  # no initial: another name
    ("が^かな", "か^かな"),  # the mark tells two letters apart
]


@pytest.mark.parametrize(("case", "found"), SAME_NAMES)
def test_spelling_does_not_make_another_patient(case: str, found: str) -> None:
    comparison = compare(person(case), person(found))
    assert comparison.outcome is EXACT
    assert comparison.reasons[0].code is ReasonCode.NAME_EQUAL
    assert compare(person(found), person(case)) == comparison


@pytest.mark.parametrize(("case", "found", "code"), LIKE_NAMES)
def test_a_similar_name_is_probable_and_says_why(case: str, found: str, code: ReasonCode) -> None:
    comparison = compare(person(case), person(found))
    assert comparison.reasons[0].code is code
    assert comparison.outcome is PROBABLE
    assert compare(person(found), person(case)) == comparison


@pytest.mark.parametrize(("case", "found"), OTHER_NAMES)
def test_another_name_contradicts(case: str, found: str) -> None:
    comparison = compare(person(case), person(found))
    assert comparison.reasons[0].code is ReasonCode.NAME_DIFFERENT
    assert comparison.outcome is CONTRADICTORY
    assert compare(person(found), person(case)) == comparison


ANNA = person("Miller^Anna", number="123", issuer="PRACTICE-A")


@pytest.mark.parametrize(
    ("found", "outcome", "code"),
    [
        (person("Miller^Anna", sex=""), EXACT, ReasonCode.SEX_UNKNOWN),
        (person("Miller^Anna", sex="O"), EXACT, ReasonCode.SEX_UNKNOWN),
        (person("Miller^Anna", sex="M"), CONTRADICTORY, ReasonCode.SEX_OPPOSITE),
        (person("Miller^Anna", born="19840218"), CONTRADICTORY, ReasonCode.BIRTH_DATE_DIFFERENT),
        (person("Miller^Anna", born=""), PROBABLE, ReasonCode.BIRTH_DATE_MISSING),
        (person(""), PROBABLE, ReasonCode.NAME_MISSING),
        (person("Miller^Anna", number="123", issuer="practice-a"), EXACT, ReasonCode.PATIENT_ID_EQUAL),
        (person("Miller^Anna", number="9", issuer="PRACTICE-A"), CONTRADICTORY, ReasonCode.PATIENT_ID_DIFFERENT),
        (person("Miller^Anna", number="9", issuer="HOSPITAL"), EXACT, ReasonCode.PATIENT_ID_OTHER_ISSUER),
        (person("Miller^Anna", number="9"), EXACT, ReasonCode.PATIENT_ID_OTHER_ISSUER),
        (person("Smith^Anna", number="123", issuer="PRACTICE-A"), CONTRADICTORY, ReasonCode.PATIENT_ID_EQUAL),
        (person("", born="", number="123", issuer="PRACTICE-A"), PROBABLE, ReasonCode.PATIENT_ID_EQUAL),
        (person("", born=""), ABSENT, ReasonCode.SEX_EQUAL),
        (person("", born="", sex="M"), CONTRADICTORY, ReasonCode.SEX_OPPOSITE),
        (person("", born="", number="123"), ABSENT, ReasonCode.PATIENT_ID_OTHER_ISSUER),
        (PersonIdentity(), ABSENT, ReasonCode.NAME_MISSING),
    ],
)
def test_attributes_beside_the_name(found: PersonIdentity, outcome: IdentityOutcome, code: ReasonCode) -> None:
    comparison = compare(ANNA, found)
    assert comparison.outcome is outcome
    assert code in [reason.code for reason in comparison.reasons]


def test_every_attribute_gives_a_reason_with_a_sentence() -> None:
    comparison = compare(ANNA, person("Miller^Anna", born=""))
    assert [reason.attribute.value for reason in comparison.reasons] == ["name", "birth_date", "sex", "patient_id"]
    assert comparison.reasons[1].sentence == "There is no usable date of birth."
    assert IdentityComparison.model_validate_json(comparison.model_dump_json()) == comparison


letters = st.text(st.sampled_from("abcdeimnorstuäöüßéñøåłÀŽİı'-. ?"), max_size=9)
dates = st.none() | st.dates(date(1980, 1, 1), date(1980, 1, 4))
people = st.builds(
    PersonIdentity,
    family=letters,
    given=letters,
    middle=st.just("") | letters,
    birth_date=dates,
    sex=st.sampled_from(Sex),
    patient_id=st.sampled_from(["", "1", "2"]),
    issuer=st.sampled_from(["", "A", "B"]),
)


@settings(deadline=None)
@given(people, people)
def test_comparing_is_symmetric_and_explains_itself(a: PersonIdentity, b: PersonIdentity) -> None:
    comparison = compare(a, b)
    assert compare(b, a) == comparison
    verdicts = [reason.verdict for reason in comparison.reasons]
    assert (comparison.outcome is CONTRADICTORY) == (Verdict.CONTRADICTS in verdicts)
    if comparison.outcome is EXACT:
        assert a.birth_date == b.birth_date is not None
        assert verdicts[0] is Verdict.AGREES


@settings(deadline=None)
@given(people)
def test_nobody_contradicts_themselves(someone: PersonIdentity) -> None:
    outcome = compare(someone, someone).outcome
    assert outcome is not CONTRADICTORY
    shouted = someone.model_copy(update={"family": someone.family.upper(), "given": someone.given.upper()})
    assert compare(someone, shouted).outcome is outcome


@settings(deadline=None)
@given(people, people, st.sampled_from(["birth_date", "sex", "patient_id"]))
def test_what_is_not_said_neither_contradicts_nor_confirms(a: PersonIdentity, b: PersonIdentity, silent: str) -> None:
    blank = b.model_copy(update={silent: PersonIdentity.model_fields[silent].default})
    before, after = compare(a, b).outcome, compare(a, blank).outcome
    assert after is not CONTRADICTORY or before is CONTRADICTORY
    assert after is not EXACT or before in (EXACT, CONTRADICTORY)


@settings(deadline=None)
@given(st.lists(st.sampled_from(IdentityOutcome)))
def test_a_set_is_as_doubtful_as_its_most_doubtful_file(outcomes: list[IdentityOutcome]) -> None:
    combined = combine(outcomes)
    assert combined in outcomes or not outcomes
    assert combined is combine(reversed(outcomes))
    assert (combined is CONTRADICTORY) == (CONTRADICTORY in outcomes)
    assert (combined is ABSENT) == (set(outcomes) <= {ABSENT})
    assert (combined is EXACT) == (set(outcomes) - {ABSENT} == {EXACT})


def test_two_patients_in_a_folder_are_listed_with_their_files() -> None:
    found = distinct_patients(
        [
            ("a/1.dcm", person("MUELLER^ANNA")),
            ("b/1.dcm", person("Smith^John", "19500101", "M")),
            ("a/2.dcm", person("Müller^Anna")),
            ("photo.jpg", PersonIdentity()),
            ("a/3.dcm", person("MUELLER^ANNA", born="")),
            ("b/2.dcm", person("Smith^J", "19500101", "M")),
        ]
    )
    assert [entry.files for entry in found] == [("a/1.dcm", "a/2.dcm", "a/3.dcm"), ("b/1.dcm", "b/2.dcm")]
    assert [entry.person.family for entry in found] == ["MUELLER", "Smith"]


def test_twins_in_one_folder_are_two_patients_and_a_typing_error_is_one() -> None:
    twins = [("1", person("Miller^Lena", number="7")), ("2", person("Miller^Lina", number="8"))]
    typing = [("1", person("Miller^Lena", number="7")), ("2", person("Miller^Lina", number="7"))]
    assert len(distinct_patients(twins)) == 2
    assert len(distinct_patients(typing)) == 1


def test_a_folder_without_identities_names_nobody() -> None:
    assert distinct_patients([("photo.jpg", PersonIdentity()), ("scan.dcm", person("ANONYMOUS", born=""))]) == ()
    assert distinct_patients([]) == ()


@settings(deadline=None)
@given(st.lists(people, max_size=8))
def test_contradicting_files_are_never_one_patient(found: list[PersonIdentity]) -> None:
    files = [(str(number), someone) for number, someone in enumerate(found)]
    groups = distinct_patients(files)
    people_of = dict(files)
    placed = [file for group in groups for file in group.files]
    assert len(placed) == len(set(placed))
    for group in groups:
        assert all(
            compare(people_of[a], people_of[b]).outcome is not CONTRADICTORY for a in group.files for b in group.files
        )
    left_out = set(people_of) - set(placed)
    assert all(compare(people_of[file], people_of[file]).outcome is ABSENT for file in left_out)


def test_a_hostile_archive_costs_few_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def counted(a: PersonIdentity, b: PersonIdentity) -> IdentityComparison:
        nonlocal made
        made += 1
        return compare(a, b)

    monkeypatch.setattr("schemas.identity.compare", counted)
    one_name = [(str(n), person("Miller^Anna", number=str(n))) for n in range(1000)]
    crowd = [(str(n), person("Miller^Anna", born=f"{1950 + n % 50}01{1 + n // 50:02}")) for n in range(1000)]
    slices = [(str(n), person("Miller^Anna")) for n in range(1000)]
    assert [len(distinct_patients(files)) for files in (one_name, crowd, slices, one_name[:90])] == [20, 20, 1, 1]
    assert made < 10_000


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Müller", ("muller",)),
        ("MUELLER", ("muller",)),
        ("Anne-Marie O'Neill", ("anne", "marie", "oneill")),
        ("Åse Sørensen", ("ase", "sorensen")),
        ("aase soerensen", ("ase", "sorensen")),
        ("Weiß, Weiss", ("weiss",)),
        ("山田 太郎", ("山田", "太郎")),
        ("ﾔﾏﾀﾞ", ("ヤマダ",)),
        (" ^.,- ", ()),
    ],
)
def test_search_tokens(text: str, tokens: tuple[str, ...]) -> None:
    assert fold_tokens(text) == tokens


@settings(deadline=None)
@given(st.text(max_size=30))
def test_search_tokens_are_stable(text: str) -> None:
    tokens = fold_tokens(text)
    assert fold_tokens(" ".join(tokens)) == tokens
    assert fold_tokens(unicodedata.normalize("NFD", text)) == tokens
    assert all(token and not token.isspace() for token in tokens)


@settings(deadline=None)
@given(st.text(st.sampled_from("äöüåøæabceorstu"), max_size=12))
def test_all_transliterations_give_the_same_tokens(name: str) -> None:
    written_out, bare = name, name
    for letter, digraph in {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"}.items():
        written_out, bare = written_out.replace(letter, digraph), bare.replace(letter, digraph[0])
    assert fold_tokens(name) == fold_tokens(written_out) == fold_tokens(bare.upper())
