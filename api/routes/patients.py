"""Patients of a practice."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from sqlmodel import Session

from api.cursors import write_cursor
from api.deps import PersonDep, ServicesDep, in_practice
from api.errors import problem
from api.patient_edits import ImagesSayOtherwise, edit_patient
from api.patients import (
    EditedMeanwhile,
    PossibleDuplicate,
    RevisionMissing,
    create_patient,
    find_patients,
    load_patient,
    practice_actor,
)
from api.revisions import IfMatch, revision_in
from api.views import patient_view
from infra.keystore import KeyStore
from schemas.access import PracticeRight
from schemas.forms import CaseSearch, Demographics, Page, PatientView
from schemas.tables.people import Patient

router = APIRouter(prefix="/api/v1/patients", tags=["patients"])

ListIn = Annotated[str, Depends(in_practice(PracticeRight.LIST_PATIENTS))]
CreateIn = Annotated[str, Depends(in_practice(PracticeRight.CREATE_PATIENT))]
EditIn = Annotated[str, Depends(in_practice(PracticeRight.EDIT_PATIENT))]


def revision_of(if_match: IfMatch = None) -> int:
    """The revision in an If-Match header: ``"3"``. Raises RevisionMissing, EditedMeanwhile for what never was one."""
    if not if_match:
        raise RevisionMissing()
    revision = revision_in(if_match)
    if revision is None:
        raise EditedMeanwhile()
    return revision


Revision = Annotated[int, Depends(revision_of)]


@router.get("")
def list_patients(
    practice_id: ListIn,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Page:
    """The practice's patients, the last changed first."""
    with services.database.read() as session:
        found = find_patients(session, services.keys, practice_id, limit=limit + 1, cursor=cursor)
        return _page(session, services.keys, found, limit)


@router.post("/search")
def search_patients(body: CaseSearch, practice_id: ListIn, services: ServicesDep) -> Page:
    """By whole parts of the name and the date of birth; case and accents do not matter."""
    with services.database.read() as session:
        found = find_patients(
            session,
            services.keys,
            practice_id,
            name=body.name,
            born=body.birth_date,
            limit=body.limit + 1,
            cursor=body.cursor,
        )
        return _page(session, services.keys, found, body.limit)


def _page(session: Session, keys: KeyStore, found: Sequence[Patient], limit: int) -> Page:
    """``found`` holds one more than the page where there is a next one."""
    shown = found[:limit]
    keys.fetch(session, (patient.key_id for patient in shown))
    following = write_cursor(shown[-1].updated_at, shown[-1].id) if len(found) > limit else None
    return Page(items=[patient_view(keys, patient) for patient in shown], next=following)


@router.post("", status_code=201, responses={409: {"description": "A possible duplicate; its ids are given"}})
def add_patient(
    body: Demographics,
    person: PersonDep,
    practice_id: CreateIn,
    services: ServicesDep,
    confirmed: Annotated[bool, Query(description="True: another person of the same name and birth date.")] = False,
    key: Annotated[
        str, Header(alias="Idempotency-Key", max_length=128, description="Sent again, it adds no second record.")
    ] = "",
) -> Response:
    try:
        patient = services.database.transact(
            lambda session: create_patient(
                session,
                services.keys,
                practice_id,
                body,
                actor=practice_actor(person, practice_id),
                confirmed=confirmed,
                key=key,
            )
        )
    except PossibleDuplicate as fact:
        return problem(fact, patient_ids=fact.facts["patient_ids"])
    return _answer(patient_view(services.keys, patient), status=201)


@router.get("/{patient_id}")
def read_patient(patient_id: str, practice_id: ListIn, services: ServicesDep) -> Response:
    with services.database.read() as session:
        return _answer(patient_view(services.keys, load_patient(session, patient_id, [practice_id])))


@router.put(
    "/{patient_id}",
    responses={409: {"description": "Images of an open case say otherwise; `case_ids` and `fields` name what"}},
)
def replace_patient(
    patient_id: str,
    body: Demographics,
    person: PersonDep,
    practice_id: EditIn,
    revision: Revision,
    services: ServicesDep,
) -> Response:
    try:
        patient = edit_patient(
            services.database,
            services.keys,
            patient_id,
            practice_id,
            body,
            revision=revision,
            actor=practice_actor(person, practice_id),
        )
    except ImagesSayOtherwise as fact:
        return problem(fact, case_ids=[each.case_id for each in fact.found], fields=fact.fields)
    return _answer(patient_view(services.keys, patient))


def _answer(view: PatientView, *, status: int = 200) -> Response:
    return Response(
        view.model_dump_json(),
        status_code=status,
        media_type="application/json",
        headers={"ETag": f'"{view.revision}"'},
    )
