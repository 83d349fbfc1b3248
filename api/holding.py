"""A case held for a write beside its workflow. Between a route's check and its transaction a case may be signed, handed to
another reader or submitted; under the row's lock, which every step takes too, nothing of the kind can come between.
"""

from sqlmodel import Session

from api.standing import CaseAccess, load_case
from infra.keystore import KeyStore
from schemas.access import Right
from schemas.errors import NotFound
from schemas.tables.case import Case


def hold(session: Session, keys: KeyStore, access: CaseAccess, right: Right) -> CaseAccess:
    """The case as it is now, locked in the caller's transaction, for somebody who still has the right to it.

    Raises NotFound, Forbidden.
    """
    if session.get(Case, access.row.id, with_for_update=True, populate_existing=True) is None:
        raise NotFound()
    held = load_case(session, keys, access.row.id, access.person)
    held.need(right)
    return held
