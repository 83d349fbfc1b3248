"""The colours of the design system keep WCAG 2.2 AA, computed from the style sheet itself, in every scheme."""

import re
from collections.abc import Mapping

import pytest

from ui.static_files import STATIC_ROOT

TOKENS = (STATIC_ROOT / "css" / "00-tokens.css").read_text()
SURFACES = ("bg", "surface", "raised", "sunken", "hover")
# Text on its ground: 4.5:1 (SC 1.4.3). A control's edge, a ring, a mark: 3:1 (SC 1.4.11).
TEXT_PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3", "accent", "bad", "warn", "ok") for ground in SURFACES),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-bad", "bad"),
    ("ok", "ok-soft"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
    ("info", "info-soft"),
    ("accent", "accent-soft"),
    ("ink-2", "quiet-soft"),
    *((ink, ground) for ink in ("ink", "ink-2") for ground in ("ok-soft", "warn-soft", "bad-soft", "info-soft", "accent-soft")),
    ("ink-3", "quiet-soft"),
]  # fmt: skip
MARK_PAIRS = [
    *((mark, ground) for mark in ("line-strong", "focus", "warn-mark", "bad-mark") for ground in ("bg", "surface", "raised")),
    ("accent", "accent-soft"),
]  # fmt: skip


def _scheme(name: str) -> Mapping[str, str]:
    both = re.findall(r"--([\w-]+): light-dark\((#\w{6,8}), (#\w{6,8})\);", TOKENS)
    colours = {token: light if name == "light" else dark for token, light, dark in both}
    if name == "reading":
        block = TOKENS[TOKENS.index('[data-scene="reading"]') :]
        colours |= dict(re.findall(r"--([\w-]+): (#\w{6,8});", block[: block.index("}")]))
    return colours


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, definition)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "reading"])
def test_text_is_readable_on_every_ground_it_stands_on(scheme: str) -> None:
    colours = _scheme(scheme)
    poor = {
        f"{ink} on {ground}": round(_contrast(colours[ink], colours[ground]), 2)
        for ink, ground in TEXT_PAIRS
        if _contrast(colours[ink], colours[ground]) < 4.5
    }
    assert poor == {}


@pytest.mark.parametrize("scheme", ["light", "dark", "reading"])
def test_edges_rings_and_marks_can_be_seen(scheme: str) -> None:
    colours = _scheme(scheme)
    poor = {
        f"{mark} on {ground}": round(_contrast(colours[mark], colours[ground]), 2)
        for mark, ground in MARK_PAIRS
        if _contrast(colours[mark], colours[ground]) < 3
    }
    assert poor == {}


def test_greys_around_images_have_no_tint() -> None:
    colours = _scheme("reading")
    tinted = [
        token
        for token in (*SURFACES, "line", "line-strong", "ink", "ink-2", "ink-3", "quiet-soft")
        if len({colours[token][i : i + 2] for i in (1, 3, 5)}) > 1
    ]
    assert tinted == []


def test_every_token_that_a_style_sheet_uses_is_defined() -> None:
    sheets = "".join(path.read_text() for path in sorted((STATIC_ROOT / "css").glob("*.css")))
    used = set(re.findall(r"var\(--([\w-]+)\)", sheets))
    defined = set(re.findall(r"^\s*--([\w-]+):", sheets, flags=re.M))
    assert used - defined == set()


def test_only_the_token_sheet_and_the_images_black_name_colours() -> None:
    """A colour outside the tokens would escape the contrast test and the dark scheme."""
    loose = {
        path.name: found
        for path in sorted((STATIC_ROOT / "css").glob("*.css"))
        if path.name not in ("00-tokens.css", "90-print.css")
        and (found := set(re.findall(r"#[0-9a-fA-F]{3,8}\b", path.read_text())) - {"#000", "#000000", "#bdbdbd"})
    }
    assert loose == {}
