"""What a person typed into a form, as the routes read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.datastructures import FormData

from schemas.errors import InvalidInput
from schemas.translation import N_
from ui.assemble.nonces import new_nonce
from ui.views.forms import FormState, Value

__all__ = ["FormExpired", "Typed", "TypedDep", "new_nonce", "read_typed", "typed_of"]

_MAX_FIELDS: Final = 300
_NONCE_LENGTH: Final = 128
_SECRET: Final = frozenset({"password", "new_password", "again", "otp"})
_KEPT: Final = "kept."
_OWN: Final = frozenset({"nonce", "csrf", "back"})


class FormExpired(InvalidInput):
    """A form without its nonce: not one of ours, or cut off on the way."""

    code = "form_expired"
    title = N_("This form did not arrive whole. Reload the page and send it again.")


@dataclass(frozen=True, slots=True)
class Typed:
    """Fields by name; a field that came more than once is a list."""

    values: Mapping[str, Value] = field(default_factory=dict)

    def text(self, name: str) -> str:
        found = self.values.get(name, "")
        return found.strip() if isinstance(found, str) else (found[0].strip() if found else "")

    def many(self, name: str) -> list[str]:
        found = self.values.get(name, ())
        return ([found] if found else []) if isinstance(found, str) else list(found)

    def number(self, name: str) -> int | None:
        """A whole number of at most nine digits, as the pages' own hidden fields hold."""
        text = self.text(name).strip('"')
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    def ticked(self, name: str) -> bool:
        return self.text(name) == "yes"

    @property
    def nonce(self) -> str:
        nonce = self.text("nonce")
        if not nonce or len(nonce) > _NONCE_LENGTH:
            raise FormExpired()
        return nonce

    def fields(self) -> dict[str, Any]:
        """Everything but what the pages themselves put in."""
        return {name: value for name, value in self.values.items() if name not in _OWN}

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every field as a browser would send it again, but for secrets: those are typed anew."""
        return tuple((name, value) for name in self.values if name not in _SECRET for value in self.many(name))

    @property
    def has_secret(self) -> bool:
        return any(name in _SECRET for name in self.values)

    def kept(self) -> tuple[tuple[str, str], ...]:
        """The fields of another form that travel in this one."""
        return tuple((name.removeprefix(_KEPT), value) for name, value in self.pairs if name.startswith(_KEPT))

    def again(self, errors: Mapping[str, str] | None = None, nonce: str | None = None) -> FormState:
        """The form as it was typed, for another try. Secrets are typed anew; so is the nonce, unless it is to stay."""
        kept = {name: value for name, value in self.fields().items() if name not in _SECRET}
        return FormState(values=kept, errors=errors or {}, nonce=nonce or new_nonce())


def typed_of(form: FormData) -> Typed:
    values: dict[str, Value] = {}
    for name in form:
        # A form may come in an encoding that makes half characters, which nothing could be done with.
        texts = [value.encode(errors="replace").decode() for value in form.getlist(name) if isinstance(value, str)]
        if texts:
            values[name] = texts[0] if len(texts) == 1 else texts
    return Typed(values)


async def read_typed(request: Request) -> Typed:
    return typed_of(await request.form(max_files=0, max_fields=_MAX_FIELDS))


TypedDep = Annotated[Typed, Depends(read_typed)]
