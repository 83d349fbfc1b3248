"""The billing check before a case goes to a reader."""

from sqlmodel import col, func, select
from temporalio import activity

from infra.database import Database, now
from schemas.messages import BillingInput, BillingOutcome
from schemas.tables.case import Case
from schemas.tables.people import Plan


class BillingActivities:
    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="billing.check")
    def check(self, wanted: BillingInput) -> BillingOutcome:
        """Whether the practice's plan is paid and has a case left in the running month of the plan."""
        with self._database.read() as session:
            row = session.get_one(Case, wanted.case_id)
            plan = session.get(Plan, row.practice_id)
            if plan is None or not plan.is_paid:
                return BillingOutcome(covered=False)
            if plan.cases_per_month is None:
                return BillingOutcome(covered=True)
            month_start = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            used = session.exec(
                select(func.count()).where(
                    Case.practice_id == row.practice_id,
                    Case.id != row.id,
                    col(Case.submitted_at) >= month_start,
                    col(Case.state).not_in(["cancelled", "rejected"]),
                )
            ).one()
            return BillingOutcome(covered=used < plan.cases_per_month)
