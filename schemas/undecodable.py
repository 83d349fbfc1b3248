"""What stands in for a payload that cannot be read: its key was destroyed, or it is not the workflow's own.

Handlers drop such a value. A model that forbids unknown fields refuses it by itself.
"""

from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

MARK: Final = "odontoflow_undecodable"


class Undecoded(StrEnum):
    """Why a payload could not be read."""

    KEY_DESTROYED = "key_destroyed"
    KEY_UNKNOWN = "key_unknown"
    TAMPERED = "tampered"
    OF_ANOTHER_WORKFLOW = "of_another_workflow"
    NOT_ENCRYPTED = "not_encrypted"


class Undecodable(BaseModel):
    """The marked value, as JSON ``{"odontoflow_undecodable": true, "key_id": …, "reason": …}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    odontoflow_undecodable: Literal[True] = True
    key_id: str = ""
    reason: Undecoded
