"""Every text that a person reads can be translated: shown in an invented language, the pages have no English left.

The language wraps each text in ⟦ ⟧ and leaves alone what is filled in, so that a word which was not marked stands bare.
"""

import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from sqlmodel import select

import infra.translation
import ui.templating
from activities.letters import Letters
from infra.translation import script_words, translations
from schemas.errors import OdontoError
from schemas.lifecycle import STATE_WORDS, WAIT_SENTENCES, Action, State, WaitOwner, WaitReason
from schemas.mail import MailKind
from schemas.notices import SUBJECTS
from schemas.tables.case import Case
from schemas.tables.mail import OutgoingMail
from schemas.tables.people import Organization
from scripts.messages import catalogue, python_messages
from tests.ui.site import Site, browser

LANGUAGE = "de"
_FILLED_IN = re.compile(r"(%\(\w+\)\d*[sd]|\{\w*\}|%%)")
_NAMES = frozenset({"OdontoFlow", "Practice", "Group", "Platform", "Anna", "Moreau", "Keller", "CH"})
_TYPED = "Is there enough bone for an implant at 36?"
_NO_WORDS = re.compile(
    rf"{re.escape(_TYPED)}|\bDr \w+|[\w.+-]+@[\w.-]+|[RCP]\d{{4,}}|\b\w+\.dcm\b|\b(kB|MB|GB|mm|TMJ|PDF|DICOM|UTC)\b"
    r"|\b(Jan|Feb|März|Apr|Mai|Juni|Juli|Aug|Sept|Okt|Nov|Dez)\b"
    # The audit trail shows what was recorded, in the record's own codes.
    r"|\bpriority: routine\b"
)
"""What people typed, names, addresses, numbers, units, months, codes."""


def invented(text: str) -> str:
    """``Saved %(time)s`` becomes ``⟦Saved ⟧%(time)s``."""
    parts = _FILLED_IN.split(text)
    return "".join(part if _FILLED_IN.fullmatch(part) or not part.strip() else f"⟦{part}⟧" for part in parts)


@pytest.fixture(scope="module")
def texts() -> Catalog:
    """What the extraction finds."""
    return catalogue()


@pytest.fixture
def language(texts: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = Catalog(locale=LANGUAGE)
    for message in texts:
        if message.id:
            many = not isinstance(message.id, str)
            said: Any = tuple(map(invented, message.id)) if many else invented(str(message.id))
            made.add(message.id, said, locations=message.locations)
    folder = tmp_path / "locale"
    folder.mkdir()
    with (folder / f"{LANGUAGE}.po").open("wb") as file:
        write_po(file, made)
    caches: list[Callable[[], None]] = [
        each.cache_clear for each in (translations, script_words, ui.templating.environment)
    ]
    monkeypatch.setattr(infra.translation, "CATALOGUES", folder)
    for clear in caches:
        clear()
    yield
    monkeypatch.undo()
    for clear in caches:
        clear()


class _Shown(HTMLParser):
    """The texts of a page: between its tags, and in the attributes that are read out or shown."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"script", "style", "kbd"}
        for name, value in attrs:
            if name in {"aria-label", "title", "placeholder", "alt", "data-words-left", "data-words-over"} and value:
                self.texts.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style", "kbd"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)


def bare(html: str) -> list[str]:
    """Texts with words that no catalogue has touched."""
    found = []
    for text in _Shown(html).texts:
        left = _NO_WORDS.sub("", re.sub(r"⟦[^⟦⟧]*⟧", "", text))
        if words := [word for word in re.findall(r"[^\W\d_]{2,}", left) if word not in _NAMES]:
            found.append(f"{text.strip()!r}: {' '.join(words)}")
    return found


@pytest.fixture
async def foreign(practice: Site, language: None) -> Site:
    """A practice, its reading group and the platform in the invented language."""
    with practice.world.database.write() as session:
        for organization in session.exec(select(Organization)).all():
            organization.locale = LANGUAGE
    return practice


def put(site: Site, **columns: object) -> str:
    row = site.world.add_case()
    with site.world.database.write() as session:
        stored = session.get_one(Case, row.id)
        for name, value in columns.items():
            setattr(stored, name, value)
    return row.id


async def test_main_pages_have_no_bare_english(foreign: Site) -> None:
    draft = put(foreign)
    reading = put(
        foreign,
        state=State.IN_REVIEW,
        wait_owner=WaitOwner.RADIOLOGIST,
        wait_reason=WaitReason.READING,
        assignee_id=foreign.world.user_id("radiologist"),
    )
    with foreign.world.database.read() as session:
        patient = session.get_one(Case, draft).patient_id
    seen = {
        "dentist": [
            "/", "/patients", f"/patients/{patient}", f"/patients/{patient}/new-case", f"/cases/{draft}",
            f"/cases/{draft}/form", f"/cases/{reading}", "/account", "/notices", "/practice/users",
        ],
        "radiologist": ["/", "/?tab=pool", f"/cases/{reading}", f"/cases/{reading}/read", f"/cases/{reading}/images"],
        "scheduler": ["/board", f"/cases/{reading}"],
        "admin": ["/admin/users", "/admin/audit", "/account"],
    }  # fmt: skip
    left: dict[str, str] = {}
    for person, urls in seen.items():
        async with foreign.as_(person) as client:
            for url in urls:
                answer = await client.get(url)
                assert answer.status_code == 200, url
                assert "⟦" in answer.text, url
                left |= dict.fromkeys(bare(answer.text), f"{person} {url}")
    async with browser(foreign.app) as guest:
        guest.headers["Accept-Language"] = "de-AT,de;q=0.9,en;q=0.5"
        for url in ("/sign-in", "/sign-in?ended=true", "/sign-in?next=/cases", "/r/no-such-link", "/nowhere"):
            answer = await guest.get(url)
            assert 'lang="de"' in answer.text, url
            left |= dict.fromkeys(bare(answer.text), f"nobody {url}")
    assert left == {}, "\n".join(left)


async def test_scripts_get_their_words_in_the_readers_language(foreign: Site, texts: Catalog) -> None:
    async with foreign.as_("dentist") as client:
        html = (await client.get("/")).text
    block = re.search(r'<script type="application/json" data-island-words>(.*?)</script>', html)
    assert block and json.loads(block[1])["Not saved yet"] == "⟦Not saved yet⟧"
    words = script_words(LANGUAGE)
    assert words["{n} file stored."] == ["{n}⟦ file stored.⟧", "{n}⟦ files stored.⟧"]
    assert words["Saved {time}"] == "⟦Saved ⟧{time}"
    assert words["Write the impression."] == "⟦Write the impression.⟧"
    assert "Sign in" not in words


async def test_a_mail_is_in_the_language_of_the_practice_that_it_comes_from(foreign: Site) -> None:
    letters = Letters(foreign.world.keys, "https://example.test")
    owed = OutgoingMail(
        user_id=foreign.world.user_id("dentist"), case_id=put(foreign), kind=MailKind.NOTICE, notice=Action.SIGN
    )
    with foreign.world.database.read() as session:
        mail = letters.write(session, owed)
    assert mail is not None
    assert mail.subject == "⟦A report is signed⟧"
    assert "⟦.\n\nCase ⟧" in mail.text
    assert f"https://example.test/cases/{owed.case_id}" in mail.text


def test_english_needs_no_catalogue() -> None:
    assert translations("en_GB").gettext("Sign in") == "Sign in"
    assert script_words("en") == {}
    assert translations("../../etc/passwd").gettext("Sign in") == "Sign in"


def _facts(kind: type[OdontoError]) -> Iterator[type[OdontoError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _facts(child)


def test_what_errors_states_and_notices_say_is_marked(texts: Catalog) -> None:
    facts = (fact for fact in _facts(OdontoError) if not fact.__module__.startswith("tests."))
    said: dict[str, str] = {fact.__name__: fact.title for fact in facts}
    for table in (STATE_WORDS, WAIT_SENTENCES, SUBJECTS):
        said |= {str(name): text for name, text in table.items()}
    known = {message.id for message in texts}
    # These two name a number or packages in the middle of an otherwise fixed sentence.
    allowed = {"TooManyKeyImages", "PdfLibraryMissing"}
    assert {name: text for name, text in said.items() if text not in known and name not in allowed} == {}


def test_marks_inside_other_calls_are_found(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text('say_many(N_("%(num)s file"), N_("%(num)s files"), 3)\nlooker.say(N_("a " "b"))\nsay(unmarked)\n')
    with source.open("rb") as file:
        found = [message for _, message in python_messages(file)]
    assert ("%(num)s file", "%(num)s files") in found
    assert "a b" in found
