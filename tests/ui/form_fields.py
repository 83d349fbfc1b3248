"""What a browser would send of a form: every named field, as the HTML standard says (constructing the entry list)."""

from collections.abc import Mapping
from html.parser import HTMLParser

from ui.views.forms import Value


class FormFields(HTMLParser):
    """Fields of the form with an id. ``scripts`` False reads ``<noscript>`` and leaves ``<template>`` out, as browsers do."""

    def __init__(self, html: str, form_id: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self._form_id = form_id
        self._inside = False
        self._template = 0
        self._area: str | None = None
        self._select: str | None = None
        self._text = ""
        self.feed(html)

    @property
    def values(self) -> Mapping[str, Value]:
        return {name: values if len(values) > 1 else values[0] for name, values in self.fields.items()}

    def _add(self, name: str, value: str) -> None:
        self.fields.setdefault(name, []).append(value)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form" and found.get("id") == self._form_id:
            self._inside = True
        if tag == "template":
            self._template += 1
        name = found.get("name")
        if not self._inside or self._template or "disabled" in found:
            return
        if tag == "input" and name:
            checkable = found.get("type") in {"checkbox", "radio"}
            if not checkable or "checked" in found:
                self._add(name, found.get("value") or "")
        elif tag == "textarea":
            self._area, self._text = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in found:
            self._add(self._select, found.get("value") or "")

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._template -= 1
        if tag == "textarea" and self._area:
            self._add(self._area, self._text)
            self._area = None
        if tag == "select":
            self._select = None
        if tag == "form":
            self._inside = False


def fields_of(html: str, form_id: str) -> dict[str, Value]:
    return dict(FormFields(html, form_id).values)
