"""What the portal says: why a factor was not taken, who stands behind a link, and what a try led to."""

from dataclasses import dataclass

from api.release_links import Link
from infra.keys import DataKey
from infra.mail import Mail
from schemas.errors import NotSignedIn, OdontoError, StateConflict
from schemas.lifecycle import Relation, Role
from schemas.messages import Actor
from schemas.tables.release import ReleaseGrant
from schemas.translation import N_


class StepMissing(NotSignedIn):
    """The date of birth was not asked in this browser, or too long ago."""

    code = "birth_date_first"
    title = N_("Please enter the date of birth again.")


class WrongCode(OdontoError):
    code = "wrong_code"
    status = 403
    title = N_("The code is not right, or it is too old. Check it, or ask for a new one.")


class CodeUsed(OdontoError):
    """The right code a second time (a double click, a reload): nobody's wrong try."""

    code = "code_used"
    status = 409
    title = N_("This code was used already. Ask for a new one.")


class VisitOver(NotSignedIn):
    code = "visit_over"
    title = N_("For your safety the report was closed. Open it again with the date of birth and a new code.")


class GrantNotLive(StateConflict):
    code = "grant_not_live"
    title = N_("This link does not work any more. Release the report again to make a new one.")


@dataclass(frozen=True)
class Visit:
    """A patient behind both factors."""

    link: Link
    session_id: str
    key: DataKey

    @property
    def actor(self) -> Actor:
        return patient_actor(self.link.grant, self.session_id)


@dataclass(frozen=True)
class Asked:
    """After the date of birth: the sealed word for the code's step, and the mail that is due (none for a wrong date)."""

    step: str
    mails: tuple[Mail, ...] = ()


@dataclass(frozen=True)
class Entered:
    """``token`` is shown once, to the browser that gave the right code. None: ``refusal`` says why not."""

    token: str | None
    refusal: OdontoError | None = None


def patient_actor(grant: ReleaseGrant, session_id: str) -> Actor:
    return Actor(user_id=grant.patient_id, role=Role.PATIENT, relation=Relation.RELEASED, session_id=session_id)
