"""Writes docs/settings.md from the settings themselves; a test keeps the two equal."""

import sys
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from infra.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
INTRODUCTION = """# Settings

An installation is described by environment variables alone. Each has a default that is right for the embedded mode
(`make run`). A value that cannot be used ends the start with one line that names the variable; a variable that begins
with `ODONTOFLOW_` and is not in this table is reported and ignored. This page is written by `make settings-page`.

| Variable | Kind | Default | What it does |
|---|---|---|---|
"""


def kind_in_words(annotation: Any) -> str:
    """The type as a person who sets an environment variable thinks of it."""
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    parts = [part for part in get_args(annotation) if part is not NoneType]
    if parts:
        return kind_in_words(parts[0])
    names = {"int": "whole number", "float": "number", "bool": "`true` or `false`", "str": "text", "Path": "path"}
    name = getattr(annotation, "__name__", str(annotation))
    return {**names, "SecretStr": "secret text"}.get(name, name)


def limits(field: FieldInfo) -> str:
    """Bounds of a number: ``, 1 to 65535``."""
    low = next((each.ge for each in field.metadata if hasattr(each, "ge")), None)
    high = next((each.le for each in field.metadata if hasattr(each, "le")), None)
    if low is not None and high is not None:
        return f", {low} to {high}"
    if low is not None:
        return f", {low} or more"
    return "" if high is None else f", at most {high}"


def row(name: str, field: FieldInfo) -> str:
    default = "" if field.default in (None, "") else f"`{field.default}`"
    description = (field.description or "").replace("|", "\\|")
    kind = f"{kind_in_words(field.annotation)}{limits(field)}"
    return f"| `ODONTOFLOW_{name.upper()}` | {kind} | {default} | {description} |"


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "\n".join(row(name, field) for name, field in Settings.model_fields.items()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(0)
