"""The report editor's fields, read back into a draft. ``js/report-content.js`` does the same in the browser."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from schemas.forms import ReportDraftBody
from ui.views.forms import Value

ROOTS: Final = frozenset(
    {
        "purpose",
        "scope",
        "examination",
        "quality",
        "regions",
        "findings",
        "areas_of_interest",
        "key_images",
        "impression",
        "recommendations",
        "communications",
    }
)
_UNTOUCHED: Final = {"id": None, "criticality": "none"}
"""What a finding has before anybody wrote in it."""


def draft_of_form(values: Mapping[str, Value], zone: str) -> ReportDraftBody:
    """Fields are named by their path ("findings.0.text"); empty ones are left to the defaults.

    ``zone`` is the person's, in which local times were typed. Raises pydantic's ValidationError.
    """
    addendum = _first(values.get("addendum", ""))
    signed = _first(values.get("content", ""))
    if signed:
        return ReportDraftBody.model_validate({"content": json.loads(signed), "addendum": addendum})
    tree: dict[str, Any] = {}
    for path, value in values.items():
        text = _first(value).strip()
        parts = path.split(".")
        if text and parts[0] in ROOTS:
            _put(tree, parts, _typed(parts[-1], text, zone))
    content = _dense(tree)
    if "findings" in content:
        content["findings"] = _named_apart([each for each in content["findings"] if not _is_untouched(each)])
    if "key_images" in content:
        content["key_images"] = [each for each in content["key_images"] if "image_id" in each]
    return ReportDraftBody.model_validate({"content": content, "addendum": addendum})


def _first(value: Value) -> str:
    return value if isinstance(value, str) else (value[0] if value else "")


def _typed(name: str, text: str, zone: str) -> Any:
    if name == "teeth":
        return [part for part in text.replace(",", " ").split() if part]
    if name == "at":
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).isoformat()
    return text


def _put(tree: dict[str, Any], parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        child = tree.setdefault(part, {})
        if not isinstance(child, dict):
            return
        tree = child
    tree[parts[-1]] = value


def _dense(node: Any) -> Any:
    """Branches whose names are numbers become lists, without the numbers that are missing."""
    if not isinstance(node, dict):
        return node
    made = {name: _dense(child) for name, child in node.items()}
    if made and all(name.isdecimal() for name in made):
        return [made[name] for name in sorted(made, key=int)]
    return made


def _named_apart(findings: list[Any]) -> list[Any]:
    """The spare finding of a page without scripts may come with an id that is taken."""
    taken: set[str] = set()
    for number, each in enumerate(findings):
        if each.get("id") in taken:
            each["id"] = f"{each['id']}-{number}"
        taken.add(each.get("id"))
    return findings


def _is_untouched(finding: Any) -> bool:
    return isinstance(finding, dict) and all(
        name in _UNTOUCHED and _UNTOUCHED[name] in {None, value} for name, value in finding.items()
    )
