"""Forms: what was typed, what was wrong with it, and the commands a person may give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Value = str | Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice of a select, radio or checkbox group."""

    value: str
    word: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """One rendering of a form. ``values`` holds what was typed, so that an error loses nothing; ``errors`` one sentence a
    field. ``nonce`` is the idempotency key of the command: the same rendering sent twice does one thing.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    nonce: str = ""

    def value(self, name: str) -> str:
        found = self.values.get(name, "")
        return found if isinstance(found, str) else (found[0] if found else "")

    def has(self, name: str, option: str) -> bool:
        found = self.values.get(name, ())
        return option == found if isinstance(found, str) else option in found

    def error(self, name: str) -> str:
        return self.errors.get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A command of the lifecycle table that this person may give now; posts to ``/cases/{id}/actions/{name}``.

    ``form`` names the template under ``templates/actions/`` with the fields that the command needs (empty: one click).
    ``blocked`` says why it cannot be given yet ("Two questions are open"): the button is shown, disabled, with the reason;
    ``hint`` what to know before it is given. ``waits_for_files``: not while this page uploads.
    """

    name: str
    word: str
    url: str
    nonce: str
    icon: str = ""
    kind: Literal["primary", "secondary", "danger"] = "secondary"
    form: str = ""
    blocked: str = ""
    hint: str = ""
    waits_for_files: bool = False
    options: tuple[Option, ...] = ()
    state: FormState = field(default_factory=FormState)
