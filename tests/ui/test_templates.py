"""Templates and macros: nothing inline, hostile input stays text, every sample page renders whole."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ui.pages.samples import base, cases, lists, people, reports
from ui.pages.styleguide import EDITOR_LABELS, SAMPLES
from ui.static_files import STATIC_ROOT
from ui.templating import TEMPLATES, Reader, environment, render
from ui.views import Chip, FormState, Message, Option, Person, StudyView, Toast, Wait

HOSTILE = "<script>alert(1)</script>\"' onmouseover=alert(1) x={{7*7}} &amp;"
TEMPLATE_FILES = sorted(TEMPLATES.rglob("*.html"))


class Document(HTMLParser):
    """Collects what the tests ask about a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.script_text = ""
        self._in_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.script_text += data.strip()

    @property
    def ids(self) -> list[str]:
        return [attrs["id"] or "" for _, attrs in self.elements if "id" in attrs]


def _sample(name: str) -> str:
    template, page, view = SAMPLES[name]
    return render(template, page.reader, page=page, view=view, labels=EDITOR_LABELS)


@pytest.mark.parametrize("path", TEMPLATE_FILES, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_templates_have_nothing_inline(path: Path) -> None:
    text = path.read_text()
    # A data block is not executed: the translations that the scripts use.
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text)
    assert set(inline) <= {'<script type="application/json" data-island-words>'}
    assert not re.search(r"<style\b|\sstyle=|\son\w+=|javascript:|hx-on|hx-vals=.js", text)
    assert "|safe" not in text
    assert not re.search(r"(?<![a-z])_\(\s*[^\"'\s]", text), "a message from data needs tr(): _() does not escape it"
    assert "Markup" not in text


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_pages_are_whole_and_have_nothing_inline(name: str) -> None:
    page = Document(_sample(name))
    assert page.script_text == ""
    assert all("src" in attrs for tag, attrs in page.elements if tag == "script")
    assert not [attrs for _, attrs in page.elements if "style" in attrs or any(key.startswith("on") for key in attrs)]
    assert len([tag for tag, _ in page.elements if tag == "h1"]) == 1
    assert len(page.ids) == len(set(page.ids)), "an id stands twice"


@pytest.mark.parametrize("name", SAMPLES)
def test_forms_are_posted(name: str) -> None:
    html = _sample(name)
    assert len(re.findall(r'<form\b[^>]*method="(?!post")', html)) == 0, "a name must not get into an address"


@pytest.mark.parametrize("name", SAMPLES)
def test_labels_and_descriptions_point_at_something(name: str) -> None:
    page = Document(_sample(name))
    known = set(page.ids)
    for tag, attrs in page.elements:
        if tag == "label" and attrs.get("for"):
            assert attrs["for"] in known
        for key in ("aria-describedby", "aria-labelledby", "aria-controls"):
            assert set((attrs.get(key) or "").split()) <= known


@pytest.mark.parametrize("name", SAMPLES)
def test_error_summaries_lead_to_their_fields(name: str) -> None:
    html = _sample(name)
    for summary in re.findall(r'class="error-summary".*?</div>', html, flags=re.S):
        targets = re.findall(r'href="#([\w-]+)"', summary)
        assert targets
        assert set(targets) <= set(Document(html).ids)


def test_every_icon_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC_ROOT / "icons" / "sprite.svg").read_text()))
    used = {icon for name in SAMPLES for icon in re.findall(r"sprite\.svg#([\w-]+)", _sample(name))}
    assert used
    assert used <= sprite


def _hostile_macro_calls() -> dict[str, str]:
    page = base.page(HOSTILE, "dentist")
    form = FormState(values={"f": HOSTILE}, errors={"f": HOSTILE}, nonce=HOSTILE)
    option = Option(value=HOSTILE, word=HOSTILE, hint=HOSTILE)
    person = Person(name=HOSTILE, title=HOSTILE)
    row = replace(lists.MINE_NEXT[0], patient=HOSTILE, purpose=HOSTILE, teeth=(HOSTILE,), url=HOSTILE)
    study = StudyView(id="s", name=HOSTILE, detail=HOSTILE, images=1, size=1, state="problem", problem=HOSTILE)
    message = Message(id="m", person=person, text=HOSTILE, when=base.NOW)
    calls = {
        "field.html": ["text(form, 'f', h, h)", "area(form, 'f', h, h)", "select(form, 'f', h, (option,), h, h)",
                       "choices(form, 'f', h, (option,), h)", "tick(form, 'f', h, h)", "birth_date(form, 'f', h, h)",
                       "teeth(form, 'f', h, {'11': h}, h)", "error_summary(form)", "hidden(page, form)", "search(form, 'f', h)"],
        "chip.html": ["chip(chip)", "priority(h)"],
        "wait.html": ["wait(wait)", "wait_inline(wait)", "wait_line(wait)"],
        "clock.html": ["clock(clock)"],
        "case.html": ["case_row(row)"],
        "files.html": ["study(study, page)"],
        "chat.html": ["bubble(message)"],
        "block.html": ["block('info', h, h, ((h, h),))", "notice('info', h, h, ((h, h),))", "loading(h)"],
        "toast.html": ["toast(toast, page)"],
        "timeline.html": ["timeline((entry,))"],
        "report.html": ["report(version, h)"],
        "tabs.html": ["tabs((), h)", "filters((), h)"],
        "button.html": ["button(h, name=h, value=h)", "link_button(h, h)", "icon_button(h, 'print')"],
        "editor.html": ["line(h, h, h)", "segment(h, h, {h: h}, h)", "pick(h, h, {h: h}, h)"],
    }  # fmt: skip
    context = {
        "h": HOSTILE, "page": page, "form": form, "option": option, "row": row, "study": study, "message": message,
        "chip": Chip(icon="info", word=HOSTILE, reason=HOSTILE),
        "wait": Wait(sentence=HOSTILE, then=HOSTILE, until=base.NOW),
        "clock": replace(lists.MINE_NEXT[0].clock, owner=HOSTILE, target=HOSTILE),
        "toast": Toast(text=HOSTILE, undo_url=HOSTILE),
        "entry": replace(cases.TIMELINE[0], what=HOSTILE, who=HOSTILE, note=HOSTILE),
        "version": replace(reports.REPORT.latest, impression=HOSTILE, sections=((HOSTILE, HOSTILE),), author=HOSTILE),
    }  # fmt: skip
    return {
        call: environment()
        .from_string(f'{{% import "components/{file}" as m %}}{{{{ m.{call} }}}}')
        .render(context)
        for file, group in calls.items()
        for call in group
    }  # fmt: skip


@pytest.mark.parametrize("call", _hostile_macro_calls())
def test_macros_show_hostile_input_as_text(call: str) -> None:
    html = _hostile_macro_calls()[call]
    page = Document(html)
    assert "<script" not in html
    assert not [attrs for _, attrs in page.elements if any(key.startswith("on") for key in attrs)]


def test_no_component_is_left_unused() -> None:
    used = set(re.findall(r'"components/(\w+\.html)"', "".join(path.read_text() for path in TEMPLATE_FILES)))
    assert {path.name for path in (TEMPLATES / "components").glob("*.html")} == used


def test_names_of_patients_are_never_in_an_address() -> None:
    for name in ("worklist", "patients", "patient", "reading-list", "case-question"):
        addresses = re.findall(r'(?:href|action|src|data-live-url)="([^"]+)"', _sample(name))
        assert not [address for address in addresses if re.search(r"Okafor|Brandt|Rivas|Zieli", address)]


def test_portal_says_nothing_about_the_patient_before_the_second_factor() -> None:
    for stage in ("birth_date", "wrong", "code", "expired", "locked", "revoked"):
        html = _sample(f"portal-{stage}")
        assert "Tomasz" not in html
        assert "implant" not in html.lower()


def test_what_was_typed_survives_an_error() -> None:
    html = render(
        "pages/new_case.html",
        base.READER,
        page=base.page("New case", "dentist"),
        view=people.new_case({"clinical_question": "Write what the reader should answer."}),
    )
    assert "Two episodes of pericoronitis" in html
    assert re.search(r'value="38"[^>]*checked', html)
    assert re.search(r'value="impaction" checked', html)


def test_a_name_that_is_missing_is_an_error_not_a_blank() -> None:
    with pytest.raises(Exception, match="undefined"):
        environment().from_string("{{ nobody.name }}").render()


def test_times_are_in_the_readers_zone() -> None:
    reader = Reader(zone="Asia/Tokyo", now=base.NOW)
    html = render("pages/worklist.html", reader, page=SAMPLES["worklist"][1], view=lists.WORKLIST)
    assert ">16:32<" in html
    assert ">07:32<" not in html
