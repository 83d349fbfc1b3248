"""Every identifier of the system is built here. All are opaque and random; none carries meaning or PHI."""

import secrets
from typing import Final, Literal

Kind = Literal[
    "case",
    "usr",
    "org",
    "mem",
    "con",
    "pat",
    "upl",
    "fil",
    "grp",
    "bat",
    "set",
    "rep",
    "msg",
    "grt",
    "ses",
    "tok",
    "out",
    "eff",
    "ntf",
    "ann",
    "key",
    "prv",
    "mail",
    "cmd",
    "sty",
]

_WORKFLOW_PREFIX: Final = "case-"
_BODY_BYTES: Final = 15


def new_id(kind: Kind) -> str:
    """A new id such as ``case_4f…``: the kind and 120 random bits in lower-case hexadecimal (30 characters)."""
    return f"{kind}_{secrets.token_hex(_BODY_BYTES)}"


def case_workflow_id(case_id: str) -> str:
    """``case_ab12…`` → ``case-ab12…``: one workflow id per case, for ever (invariant 1)."""
    return _WORKFLOW_PREFIX + case_id.removeprefix("case_")


def case_id_of_workflow(workflow_id: str) -> str | None:
    """The case whose key protects a workflow's payloads, or None for a workflow that belongs to no case."""
    if workflow_id.startswith(_WORKFLOW_PREFIX):
        return "case_" + workflow_id.removeprefix(_WORKFLOW_PREFIX)
    return None
