"""A page of a list as the API answers it."""

from sqlmodel import Session

from api.listing import Held
from api.row_facts import row_facts
from api.views import row_fields
from infra.database import now
from infra.keystore import KeyStore
from schemas.access import Person, Right, may
from schemas.forms import CaseRowView
from schemas.lifecycle import State


def row_views(session: Session, keys: KeyStore, rows: list[Held], person: Person) -> list[CaseRowView]:
    """Names are opened only for those who may know who the patient is."""
    facts = row_facts(session, keys, rows, person.user_id, chat=False, clinical=False)
    moment = now()
    return [
        CaseRowView(
            **row_fields(
                row,
                held,
                person=facts.people.get(row.patient_id) if may(Right.SEE_CASE, held, State(row.state)) else None,
                names=facts.names,
                practice=facts.practices.get(row.practice_id, ""),
                moment=moment,
            )
        )
        for row, held in rows
    ]
