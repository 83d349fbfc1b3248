"""What a writer is given: the transaction, the case's row and the transition to be written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from infra.keys import DataKey
from infra.keystore import KeyStore
from schemas.messages import Record
from schemas.tables.case import Case


@dataclass(frozen=True)
class Writing:
    """``form`` is what the person typed; empty for the case's own steps. ``row`` still shows the state before.

    ``noted`` is what a writer adds to the step's audit row: ids, numbers and hashes.
    """

    session: Session
    keys: KeyStore
    row: Case
    record: Record
    form: Mapping[str, Any]
    noted: dict[str, str | int] = field(default_factory=dict)

    @property
    def case_key(self) -> DataKey:
        return self.keys.data_key(self.row.key_id)


Writer = Callable[[Writing], None]
"""Checks what only the database knows, raising the fact that refuses the step, then writes what the step makes."""
