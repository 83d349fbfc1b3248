"""Reads pages as a browser without scripts does: forms with their fields, links, and text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

_VOID = {"input", "br", "img", "link", "meta", "hr", "use", "path", "circle"}


@dataclass
class Form:
    """``fields`` are what a browser would send if nothing were typed."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)

    def filled(self, **typed: str | list[str]) -> dict[str, str | list[str]]:
        return {**self.fields, **typed}

    async def send(self, browser: httpx.AsyncClient, **typed: str | list[str]) -> httpx.Response:
        return await browser.post(self.action, data=self.filled(**typed))


class PageReader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self._area = ""
        self._silent = 0
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def form(self, action: str) -> Form:
        return next(form for form in self.forms if form.action == action)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        if tag in {"script", "style"}:
            self._silent += 1
        if tag == "a" and "href" in a:
            self.links.append(a["href"])
        if tag == "form" and a.get("method") == "post":
            self._form = Form(a.get("action", ""))
            self.forms.append(self._form)
        if self._form is None:
            return
        name = a.get("name", "")
        if tag == "input" and name:
            if a.get("type") in {"checkbox", "radio"}:
                if "checked" in a:
                    self._form.fields.setdefault(name, []).append(a.get("value", "on"))
            else:
                self._form.fields.setdefault(name, []).append(a.get("value", ""))
        elif tag == "textarea" and name:
            self._area = name
            self._form.fields[name] = [""]
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in a:
            self._form.fields[self._select] = [a.get("value", "")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""
        elif tag in {"script", "style"}:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.fields[self._area] = [self._form.fields[self._area][0] + data]
        elif not self._silent:
            self.words.append(data)


def read(answer: httpx.Response) -> PageReader:
    return PageReader(answer.text)
