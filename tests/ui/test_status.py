"""State, clock and form values as templates use them."""

from datetime import timedelta

import pytest

from schemas.lifecycle import State
from ui.pages.samples.base import READER, page, running
from ui.templating import environment, render, span
from ui.views import Clock, FormState, Person, state_chip


@pytest.mark.parametrize("state", State)
def test_every_state_has_an_icon_and_a_word(state: State) -> None:
    chip = state_chip(state)
    assert chip.word
    assert chip.icon


@pytest.mark.parametrize(
    ("left", "level"), [(7, "ok"), (1.6, "amber"), (0.2, "amber"), (-0.1, "red")], ids=["fresh", "80 %", "near", "over"]
)
def test_the_clock_turns_amber_at_80_percent_and_red_when_over(left: float, level: str) -> None:
    clock = running(timedelta(hours=left), timedelta(hours=8))
    assert clock.level == level
    html = environment().from_string('{% import "components/clock.html" as m %}{{ m.clock(c) }}').render(c=clock)
    assert f'data-level="{level}"' in html
    assert "data-due=" in html
    assert 'class="visually-hidden"' in html


def test_a_paused_clock_does_not_tick_and_says_for_whom() -> None:
    clock = Clock(state="paused", left=timedelta(hours=3), owner="practice", due=None)
    html = environment().from_string('{% import "components/clock.html" as m %}{{ m.clock(c) }}').render(c=clock)
    assert "data-due" not in html
    assert "paused: practice" in html


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "0 min"),
        (59, "59 min"),
        (60, "1 h"),
        (65, "1 h 05 min"),
        (1440, "1 d"),
        (3120, "2 d 4 h"),
        (-72, "1 h 12 min"),
    ],
)
def test_spans_read_in_their_two_largest_units(minutes: int, words: str) -> None:
    assert span(timedelta(minutes=minutes)) == words


def test_sizes_are_in_decimal_units() -> None:
    source = "{{ 999|bytes }} {{ 740000|bytes }} {{ 1240000000|bytes }}"
    assert environment().from_string(source).render() == "999 bytes 740 kB 1.2 GB"


def test_form_values_come_back_whether_one_or_many() -> None:
    form = FormState(values={"a": "x", "many": ["1", "2"]})
    assert form.value("a") == "x"
    assert form.has("many", "2")
    assert not form.has("a", "y")
    assert form.value("none") == ""


def test_initials_leave_out_titles() -> None:
    assert Person(name="Dr Helen Marsh").initials == "HM"
    assert Person(name="Cher").initials == "C"


def test_the_shell_marks_where_one_is_for_eyes_and_screen_readers() -> None:
    html = render("pages/error.html", READER, page=page("x", "dentist"), view=_error())
    assert '<h1 class="block-title">' in html


def _error() -> object:
    from ui.pages.samples.people import ERRORS

    return ERRORS["404"]
