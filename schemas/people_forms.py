"""What the API accepts and answers about people and their roles."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, Field, SecretStr, StringConstraints, model_validator

from schemas.access import OrganizationKind
from schemas.errors import InvalidInput
from schemas.forms import Email, Form, Id
from schemas.lifecycle import Role
from schemas.registration_forms import OptionalJurisdiction, RegistrationView
from schemas.translation import N_

FullName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
NewPassword = Annotated[SecretStr, Field(min_length=12, max_length=1024)]
"""At least twelve characters and no rule about their kinds (NIST SP 800-63B §5.1.1.2)."""

ROLES_OF: Final[dict[OrganizationKind, tuple[Role, ...]]] = {
    OrganizationKind.PRACTICE: (Role.DENTIST, Role.STAFF, Role.SCHEDULER),
    OrganizationKind.READING_GROUP: (Role.RADIOLOGIST, Role.SCHEDULER),
    OrganizationKind.PLATFORM: (Role.ADMIN,),
}


class RoleNotThere(InvalidInput):
    code = "role_not_there"
    title = N_("This role does not exist in that kind of organization.")


class FlagNotThere(InvalidInput):
    code = "flag_not_there"
    title = N_("A practice's dentists can be its owners, and a reading group's radiologists can be approvers.")


class Standing(Form):
    """A role in an organization, with its flags."""

    role: Role
    owner: bool = Field(False, description="Owner of the practice: billing and users. Dentists only.")
    approver: bool = Field(False, description="May give the second signature. Radiologists only.")

    def check(self, kind: OrganizationKind) -> None:
        """Raises RoleNotThere or FlagNotThere."""
        if self.role not in ROLES_OF[kind]:
            raise RoleNotThere()
        if (self.owner and self.role is not Role.DENTIST) or (self.approver and self.role is not Role.RADIOLOGIST):
            raise FlagNotThere()


class NewUser(Standing):
    name: FullName
    email: Email
    organization_id: Id
    registration_number: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = Field(
        "", description="A radiologist's licence; without one nobody can be assigned a case or sign."
    )
    jurisdiction: OptionalJurisdiction = Field(
        "", description="ISO 3166 code of the country or state that gave the licence."
    )

    @model_validator(mode="after")
    def _registration_is_whole(self) -> "NewUser":
        if bool(self.registration_number) != bool(self.jurisdiction):
            raise ValueError("A registration needs its number and its jurisdiction.")
        return self


class UserSearch(Form):
    """In a body: names of people are in no address."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    cursor: str | None = Field(None, max_length=100)
    limit: int = Field(100, ge=1, le=200)


class MembershipView(BaseModel):
    organization_id: str
    organization: str
    kind: str
    role: str
    owner: bool
    approver: bool
    active: bool


class UserView(BaseModel):
    """``is_active`` is the account's; ``last_seen_at`` is null for somebody who has never signed in.

    ``mail_fails``: the last mail to this address could not be delivered. ``registrations`` are an administrator's to see.
    """

    id: str
    name: str
    email: str
    is_active: bool
    created_at: datetime
    last_seen_at: datetime | None
    mail_fails: bool
    memberships: list[MembershipView]
    registrations: list[RegistrationView]


class ChosenPassword(Form):
    password: NewPassword
