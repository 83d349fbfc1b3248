"""One patient's record, as its page shows it."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Query
from fastapi.responses import Response
from sqlmodel import Session

from activities.records.opening import demographics_of
from api.arrangement import arrangement_of
from api.case_documents import documents_of
from api.listing import Held, with_standing
from api.patient_documents import document_views, documents_by_id
from api.patient_facts import cases_of_patient
from api.patients import duplicates_of, practice_actor
from api.record_arrangement import RecordHome
from api.row_facts import row_facts
from api.services import Services
from schemas.access import PracticeRight, may_in_practice
from schemas.clinical import SEX_LABELS
from schemas.forms import Demographics
from schemas.tables.people import Patient
from schemas.translation import N_
from ui.assemble.case_rows import case_rows
from ui.assemble.documents import own_groups, part_after, rows_of_cases
from ui.assemble.files import UPLOADS
from ui.assemble.looker import Looker
from ui.assemble.patients import (
    details_as_typed,
    duplicates,
    sex_options,
)
from ui.pages.answers import answer
from ui.pages.shell import Shell
from ui.views import DocumentsView, FormState, PatientView

_DOCUMENTS: Final = 50
SAME: Final = N_("Same name and date of birth.")
AfterDocument = Annotated[str, Query(max_length=200, description="Goes on in the list of documents.")]


def opened(session: Session, services: Services, patients: Sequence[Patient]) -> list[tuple[Patient, Demographics]]:
    services.keys.fetch(session, (patient.key_id for patient in patients))
    return [(patient, demographics_of(services.keys, patient)) for patient in patients]


def record_again(
    services: Services,
    shell: Shell,
    patient: Patient,
    form: FormState | None = None,
    *,
    conflict: tuple[tuple[str, str, str], ...] = (),
    status: int,
) -> Response:
    with services.database.read() as session:
        view = record_view(session, services, shell, patient, edit=form, conflict=conflict)
    return answer("pages/patient.html", shell.page(view.name, "patients"), status=status, view=view)


def record_view(
    session: Session,
    services: Services,
    shell: Shell,
    patient: Patient,
    *,
    edit: FormState | None = None,
    conflict: tuple[tuple[str, str, str], ...] = (),
    after: str = "",
) -> PatientView:
    """``after``: further documents."""
    looker, keys = shell.looker, services.keys
    who = demographics_of(keys, patient)
    rows = with_standing(session, looker.person, cases_of_patient(session, patient))
    facts = row_facts(session, keys, rows, looker.person.user_id)
    doubles = [other for other in duplicates_of(session, keys, patient.practice_id, who) if other.id != patient.id]
    may_edit = may_in_practice(PracticeRight.EDIT_PATIENT, looker.person, patient.practice_id)
    may_see = may_in_practice(PracticeRight.SEE_DOCUMENTS, looker.person, patient.practice_id)
    may_open = may_in_practice(PracticeRight.CREATE_CASE, looker.person, patient.practice_id)
    return PatientView(
        id=patient.id,
        name=who.full_name,
        born=who.birth_date,
        age=looker.say(N_("%(age)s y"), age=looker.age_on(who.birth_date)),
        sex=looker.say(SEX_LABELS[who.sex]),
        number=who.patient_number,
        email=who.email or "",
        phone=who.phone,
        address=who.address,
        alerts=(who.notes,) if who.notes else (),
        new_case_url=f"/patients/{patient.id}/new-case" if may_open and not patient.is_archived else "",
        edit=(edit or details_as_typed(who, revision=patient.revision)) if may_edit else None,
        conflict=conflict,
        sexes=sex_options(looker),
        cases=case_rows(rows, facts, looker),
        duplicates=duplicates(opened(session, services, doubles), looker, why=SAME),
        documents=documents_view(session, services, patient, rows, looker, after=after) if may_see else None,
    )


def documents_view(
    session: Session,
    services: Services,
    patient: Patient,
    rows: Sequence[Held],
    looker: Looker,
    *,
    after: str = "",
) -> DocumentsView:
    """A page of the record's own documents in their order, after the one named ``after``; those of cases are beside the
    first one."""
    home = RecordHome(
        patient, services.keys.data_key(patient.key_id), practice_actor(looker.person, patient.practice_id)
    )
    arrangement = arrangement_of(session, home, list(home.items(session)))
    ids = [item_id for group in arrangement.groups for item_id in group.items]
    part = part_after(ids, after, _DOCUMENTS)
    shown = documents_by_id(session, patient, ids[part.begin : part.end])
    views = {view.id: view for view in document_views(session, services.keys, patient, shown)}
    may_edit = may_in_practice(PracticeRight.EDIT_DOCUMENTS, looker.person, patient.practice_id)
    url = f"/patients/{patient.id}"
    is_first = part.begin == 0
    return DocumentsView(
        patient_id=patient.id,
        groups=own_groups(arrangement, views, part, patient.id, looker, may_edit=may_edit),
        of_cases=rows_of_cases(
            documents_of(session, services.keys, rows) if is_first else (),
            {row.id: row.number for row, _ in rows},
            looker,
        ),
        upload_url=UPLOADS if may_edit else "",
        max_bytes=services.settings.document_max_bytes,
        arrange_url=f"/api/v1{url}/arrangement" if may_edit and ids else "",
        live_url=f"{url}/documents" if is_first else f"{url}/documents?documents={after}",
        first_url="" if is_first else f"{url}#documents-head",
        next_url=f"{url}?documents={ids[part.end - 1]}#documents-head" if part.goes_on else "",
    )
