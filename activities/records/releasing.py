"""Release to the patient: a grant row for each link, and its end (invariants 9 and 10)."""

from sqlmodel import col, select

from activities.records.writing import Writing
from infra.release_tokens import release_token, token_hash
from schemas.tables.release import ReleaseGrant


def release(writing: Writing) -> None:
    """Makes the link's row. The mail that carries the link is an effect."""
    row, state = writing.row, writing.record.state
    grant = state.grants[-1]
    writing.session.add(
        ReleaseGrant(
            id=grant.grant_id,
            case_id=row.id,
            practice_id=row.practice_id,
            patient_id=row.patient_id,
            token_hash=token_hash(release_token(writing.keys, grant.grant_id)),
            state="live",
            created_at=writing.record.at,
            expires_at=grant.expires_at,
        )
    )


def end_grant(state: str, writing: Writing) -> None:
    """Ends one link. ``state`` is ``revoked`` or ``expired``; a link that was locked meanwhile does not expire as well."""
    grant = writing.session.get(ReleaseGrant, writing.record.facts.grant_id)
    if grant is not None and grant.case_id == writing.row.id and (grant.state == "live" or state == "revoked"):
        _end(grant, state, writing)


def end_all_grants(writing: Writing) -> None:
    """A case that ends leaves no link alive."""
    live = writing.session.exec(
        select(ReleaseGrant).where(
            ReleaseGrant.case_id == writing.row.id, col(ReleaseGrant.state).in_(["live", "locked"])
        )
    ).all()
    for grant in live:
        _end(grant, "revoked", writing)


def _end(grant: ReleaseGrant, state: str, writing: Writing) -> None:
    grant.state = state
    grant.ended_at = writing.record.at
