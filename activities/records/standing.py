"""Whether a person still stands so to a case when their step is written: the API looked a moment before."""

from sqlmodel import Session, col, select

from schemas.errors import Forbidden
from schemas.lifecycle import Relation
from schemas.messages import SYSTEM_ACTOR, Actor
from schemas.tables.people import Contract, Membership, Organization, User


class StandingLost(Forbidden):
    code = "standing_lost"
    title = "You are no longer an active member here in this role, so this step was not taken."


def need_standing(session: Session, practice_id: str, actor: Actor) -> None:
    """Raises StandingLost unless the actor is active, in the role and on the side that the envelope said."""
    if actor == SYSTEM_ACTOR:
        return
    match actor.relation:
        case Relation.OWN:
            organizations = select(Organization.id).where(Organization.id == practice_id)
        case Relation.PLATFORM:
            organizations = select(Organization.id).where(Organization.kind == "platform")
        case _:
            organizations = select(Contract.group_id).where(
                Contract.practice_id == practice_id, col(Contract.is_active)
            )
    found = session.exec(
        select(Membership.id)
        .join(User, col(User.id) == Membership.user_id)
        .where(
            User.id == actor.user_id,
            col(User.is_active),
            col(Membership.is_active),
            Membership.role == actor.role,
            col(Membership.organization_id).in_(organizations),
        )
        .limit(1)
    ).first()
    if found is None:
        raise StandingLost()
