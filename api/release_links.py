"""Release links: which one works now (invariant 10), and the facts that say why one does not."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, select

from infra.database import now
from infra.release_tokens import token_hash
from schemas.access import Right, may
from schemas.errors import OdontoError
from schemas.lifecycle import Relation, Role, State, Taker
from schemas.tables.case import Case
from schemas.tables.people import Organization
from schemas.tables.release import ReleaseGrant
from schemas.translation import N_

PATIENT: Final = frozenset({Taker(Role.PATIENT, Relation.RELEASED)})


class LinkOver(OdontoError):
    """A link that opens nothing. ``practice`` may be named for a link that is expired or locked, never for a gone one."""

    practice: Organization | None = None


class LinkGone(LinkOver):
    """Revoked, or never there: the two answer with the same bytes."""

    code = "link_gone"
    status = 404
    title = N_("This link is no longer valid. Ask your practice for a new one.")


class LinkExpired(LinkOver):
    code = "link_expired"
    status = 410
    title = N_("This link has ended. Ask your practice for a new one.")


class LinkLocked(LinkOver):
    code = "link_locked"
    status = 423
    title = N_("This link is locked after too many wrong tries. Your practice has been told and can send a new one.")


@dataclass(frozen=True)
class Link:
    """A link that works now: live, not expired, and its case released."""

    grant: ReleaseGrant
    case: Case
    practice: Organization


def find_link(session: Session, token: str) -> Link:
    """Raises the LinkOver that fits. Reads only: a scanner that follows links changes nothing."""
    grant = session.exec(select(ReleaseGrant).where(ReleaseGrant.token_hash == token_hash(token))).one_or_none()
    if grant is None:
        raise LinkGone()
    case = session.get_one(Case, grant.case_id)
    practice = session.get_one(Organization, grant.practice_id)
    try:
        need_live(grant, case, now())
    except (LinkExpired, LinkLocked) as over:
        over.practice = practice
        raise
    return Link(grant, case, practice)


def need_live(grant: ReleaseGrant, case: Case, moment: datetime) -> None:
    if grant.state == "locked":
        raise LinkLocked()
    if grant.state == "expired" or (grant.state == "live" and grant.expires_at <= moment):
        raise LinkExpired()
    if grant.state != "live" or not may(Right.SEE_REPORT, PATIENT, State(case.state)):
        raise LinkGone()
