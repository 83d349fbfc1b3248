"""Whether a person still stands so to a case when their step is written: the API looked a moment before."""

from typing import Final

from sqlalchemy import Select, bindparam, select
from sqlmodel import Session

from schemas.errors import Forbidden
from schemas.lifecycle import Relation
from schemas.messages import SYSTEM_ACTOR, Actor
from schemas.tables.people import User
from schemas.translation import N_

_tables = User.metadata.tables
_USER, _MEMBERSHIP = _tables["user"].c, _tables["membership"].c
_ORGANIZATION, _CONTRACT = _tables["organization"].c, _tables["contract"].c


class StandingLost(Forbidden):
    code = "standing_lost"
    title = N_("You are no longer an active member here in this role, so this step was not taken.")


def _member_of(organizations: Select[tuple[str]]) -> Select[tuple[str]]:
    return (
        select(_MEMBERSHIP.id)
        .join(_tables["user"], _USER.id == _MEMBERSHIP.user_id)
        .where(
            _USER.id == bindparam("user_id"),
            _USER.is_active,
            _MEMBERSHIP.is_active,
            _MEMBERSHIP.role == bindparam("role"),
            _MEMBERSHIP.organization_id.in_(organizations),
        )
        .limit(1)
    )


# Asked with every step, so they are made once.
_OF_THE_PRACTICE: Final = _member_of(select(_ORGANIZATION.id).where(_ORGANIZATION.id == bindparam("practice_id")))
_OF_THE_PLATFORM: Final = _member_of(select(_ORGANIZATION.id).where(_ORGANIZATION.kind == "platform"))
_OF_A_GROUP: Final = _member_of(
    select(_CONTRACT.group_id).where(_CONTRACT.practice_id == bindparam("practice_id"), _CONTRACT.is_active)
)


def need_standing(session: Session, practice_id: str, actor: Actor) -> None:
    """Raises StandingLost unless the actor is active, in the role and on the side that the envelope said."""
    if actor == SYSTEM_ACTOR:
        return
    asked = {"user_id": actor.user_id, "role": actor.role, "practice_id": practice_id}
    match actor.relation:
        case Relation.OWN:
            statement = _OF_THE_PRACTICE
        case Relation.PLATFORM:
            statement = _OF_THE_PLATFORM
            del asked["practice_id"]
        case _:
            statement = _OF_A_GROUP
    if session.connection().execute(statement, asked).first() is None:
        raise StandingLost()
