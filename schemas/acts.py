"""An act as the rules of a case see it."""

from schemas.lifecycle import Action
from schemas.messages import Actor, CommandFacts
from schemas.refusals import InputMissing
from schemas.sla import Threshold
from schemas.state import Frozen, IdentityStanding


class Act(Frozen):
    """An act as the rules see it, from a person or from the case itself."""

    action: Action
    facts: CommandFacts
    actor: Actor
    identity: IdentityStanding | None = None
    threshold: Threshold | None = None

    def need(self, value: str | None, what: str) -> str:
        if not value:
            raise InputMissing(f"Please choose {what}.")
        return value
