"""Whose images a requester may see. DICOMweb asks this and nothing else, so that a person and a patient's grant are alike.

A route's dependency hands out an :class:`ImageAccess`; with another one in the place of :func:`image_access` (``rebinding``)
the same routes serve another kind of requester.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Protocol, TypeVar

from fastapi import Depends
from sqlmodel import Session, col, or_, select

from api.deps import LookAgainDep, PersonDep, ServicesDep, policy
from api.standing import CaseAccess, standings_of
from infra.keys import DataKey
from infra.keystore import KeyStore
from infra.unchanged import Unchanged
from schemas.access import OrganizationKind, Person, Right, may, takers
from schemas.lifecycle import Relation, State, Taker
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile

CASE_ROOT: Final = "/cases/{case_id}/dicomweb"
Value = TypeVar("Value")


def root_of_case(case_id: str) -> str:
    """The DICOMweb root of one case. A page about a case asks this one: the common root answers with the newest copy of a
    study, which may be another case's, while a signature covers the files of its own."""
    return CASE_ROOT.format(case_id=case_id)


@dataclass(frozen=True)
class CaseImages:
    """A case whose images the requester may see: the files of its image sets up to ``up_to_set``, or with None every
    file, also those that are in no set yet.
    """

    case: Case
    key: DataKey
    up_to_set: int | None

    def narrow(self, statement: Any) -> Any:
        """The statement over ``StoredFile`` without the files that are not this requester's to see."""
        return statement if self.up_to_set is None else statement.where(col(StoredFile.first_set) <= self.up_to_set)

    def holds(self, file: StoredFile) -> bool:
        """Whether the file is among them."""
        if file.case_id != self.case.id:
            return False
        return self.up_to_set is None or (file.first_set is not None and file.first_set <= self.up_to_set)


class ImageAccess(Protocol):
    """One requester."""

    def narrow(self, statement: Any) -> Any:
        """The statement over ``Case`` with a condition that leaves out, cheaply, what cannot be theirs."""
        ...

    def opens(self, session: Session, cases: Sequence[Case]) -> dict[str, CaseImages]:
        """By case id, those of the cases whose images are theirs to see. This decides; ``narrow`` only helps."""
        ...

    def remembered(self, name: str, look_up: Callable[[], Value]) -> Value:
        """What was found for this very requester, for as long as that cannot have changed (``infra.unchanged``), or
        ``look_up``'s answer. Blocking."""
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
    unchanged: Unchanged

    def remembered(self, name: str, look_up: Callable[[], Value]) -> Value:
        return self.unchanged.ask(("images", self.person, name), look_up)

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
                opened[case.id] = CaseImages(case, self.keys.data_key(case.key_id), up_to_set(case, held))
        return opened


@policy("images: of the cases whose images one may see")
async def image_access(person: PersonDep, services: ServicesDep, look_again: LookAgainDep) -> ImageAccess:
    return PersonImages(person, services.keys, look_again, services.database.unchanged)


ImageAccessDep = Annotated[ImageAccess, Depends(image_access)]


def images_of(access: CaseAccess) -> CaseImages:
    """For routes below a case, whose right was checked already."""
    return CaseImages(access.row, access.key, up_to_set(access.row, access.held))


def up_to_set(case: Case, held: frozenset[Taker]) -> int | None:
    """The practice sees its files as they come; everybody else what was checked and is this patient's (invariant 11)."""
    return None if any(taker.relation is Relation.OWN for taker in held) else case.verified_set
