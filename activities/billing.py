"""The billing check before a case goes to a reader."""

from typing import Final

from sqlmodel import col, func, select
from temporalio import activity

from infra.database import Database, now
from schemas.lifecycle import Action, State
from schemas.messages import BillingInput, BillingOutcome
from schemas.tables.case import Case, CaseTransition
from schemas.tables.people import Plan

_COVERED: Final = select(CaseTransition.seq).where(CaseTransition.action == Action.PASS_PROCESSING)
"""The step with which a case passes from its checks to the readers; each case takes it once."""


class BillingActivities:
    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="billing.check")
    def check(self, wanted: BillingInput) -> BillingOutcome:
        """Whether the practice's plan is paid and has a case left in the running month of the plan.

        A case takes its place once, when it passes to the readers: what is held takes none, and what was covered stays so.
        """
        with self._database.read() as session:
            row = session.get_one(Case, wanted.case_id)
            if session.exec(_COVERED.where(CaseTransition.case_id == row.id).limit(1)).first() is not None:
                return BillingOutcome(covered=True)
            plan = session.get(Plan, row.practice_id)
            if plan is None or not plan.is_paid:
                return BillingOutcome(covered=False)
            if plan.cases_per_month is None:
                return BillingOutcome(covered=True)
            month_start = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            used = session.exec(
                select(func.count())
                .select_from(Case)
                .where(
                    Case.practice_id == row.practice_id,
                    col(Case.updated_at) >= month_start,
                    col(Case.state).not_in([State.CANCELLED, State.REJECTED]),
                    _COVERED.where(CaseTransition.case_id == Case.id, col(CaseTransition.at) >= month_start).exists(),
                )
            ).one()
            return BillingOutcome(covered=used < plan.cases_per_month)
