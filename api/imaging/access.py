"""Whose images a requester may see. DICOMweb asks this and nothing else, so that a person and a patient's grant are alike.

A route's dependency hands out an :class:`ImageAccess`; replacing :func:`image_access` (FastAPI's
``dependency_overrides``, or a router with another dependency) serves the same images to another kind of requester.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol

from fastapi import Depends
from sqlmodel import Session, col, or_, select

from api.deps import LookAgainDep, PersonDep, ServicesDep, policy
from api.standing import CaseAccess, standings_of
from infra.keys import DataKey
from infra.keystore import KeyStore
from schemas.access import OrganizationKind, Person, Right, may, takers
from schemas.lifecycle import Relation, State, Taker
from schemas.tables.case import Case


@dataclass(frozen=True)
class CaseImages:
    """A case whose images the requester may see. ``submitted_only``: files that are in no image set yet are left out."""

    case: Case
    key: DataKey
    submitted_only: bool


class ImageAccess(Protocol):
    """One requester."""

    def narrow(self, statement: Any) -> Any:
        """The statement over ``Case`` with a condition that leaves out, cheaply, what cannot be theirs."""
        ...

    def opens(self, session: Session, cases: Sequence[Case]) -> dict[str, CaseImages]:
        """By case id, those of the cases whose images are theirs to see. This decides; ``narrow`` only helps."""
        ...

    def again(self) -> "ImageAccess":
        """The same requester as they stand at this later moment. Blocking; raises what refuses them."""
        ...


@dataclass(frozen=True)
class PersonImages:
    """A signed-in person."""

    person: Person
    keys: KeyStore
    look_again: Callable[[], Person]

    def again(self) -> ImageAccess:
        return replace(self, person=self.look_again())

    def narrow(self, statement: Any) -> Any:
        practices = [
            member.organization_id for member in self.person.members if member.kind is OrganizationKind.PRACTICE
        ]
        user_id = self.person.user_id
        reading = select(Case.patient_id).where(Case.assignee_id == user_id, col(Case.is_open))
        return statement.where(
            or_(
                col(Case.practice_id).in_(practices),
                Case.assignee_id == user_id,
                Case.approver_id == user_id,
                col(Case.patient_id).in_(reading),
            )
        )

    def opens(self, session: Session, cases: Sequence[Case]) -> dict[str, CaseImages]:
        opened: dict[str, CaseImages] = {}
        for case, standing in zip(cases, standings_of(session, cases, self.person), strict=True):
            held = takers(self.person, standing)
            if may(Right.SEE_IMAGES, held, State(case.state)):
                opened[case.id] = CaseImages(case, self.keys.data_key(case.key_id), submitted_only=not _owns(held))
        return opened


@policy("images: of the cases whose images one may see")
async def image_access(person: PersonDep, services: ServicesDep, look_again: LookAgainDep) -> ImageAccess:
    return PersonImages(person, services.keys, look_again)


ImageAccessDep = Annotated[ImageAccess, Depends(image_access)]


def images_of(access: CaseAccess) -> CaseImages:
    """For routes below a case, whose right was checked already."""
    return CaseImages(access.row, access.key, submitted_only=not _owns(access.held))


def _owns(held: frozenset[Taker]) -> bool:
    return any(taker.relation is Relation.OWN for taker in held)
