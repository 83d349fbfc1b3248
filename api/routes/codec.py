"""The decode endpoint that Temporal's UI calls, so that an administrator can read a trace (DECISIONS 8).

Decodes only; authorizes by session; each decoded case leaves an audit row. What a trace holds is ids, states and times:
text, images and people are never in a payload.
"""

import asyncio

from fastapi import APIRouter
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from temporalio.api.common.v1 import Payload

from api.deps import AdminDep, ServicesDep
from api.services import Services
from infra.audit import PLATFORM_SCOPE, write_audit
from infra.codec import CaseCodec, workflow_of
from infra.database import now
from schemas.access import Person
from schemas.errors import InvalidInput
from schemas.ids import case_id_of_workflow
from schemas.messages import Actor, DecodeRequest
from schemas.tables.case import Case
from schemas.translation import N_

router = APIRouter(prefix="/codec", tags=["trace"])


class PayloadUnreadable(InvalidInput):
    code = "payload_unreadable"
    title = N_("These are not payloads as Temporal writes them.")


@router.post("/decode")
async def decode(body: DecodeRequest, person: AdminDep, services: ServicesDep) -> dict[str, object]:
    """Payloads in, clear payloads out, in the shape of Temporal's remote codec protocol."""
    try:
        payloads = [ParseDict(payload, Payload()) for payload in body.payloads]
    except ParseError:
        raise PayloadUnreadable() from None
    workflow_ids = {workflow_id for payload in payloads if (workflow_id := workflow_of(payload))}
    await asyncio.to_thread(_audit, services, person, workflow_ids)
    decoded = await CaseCodec(services.keys).decode(payloads)
    return {"payloads": [MessageToDict(payload) for payload in decoded]}


def _audit(services: Services, person: Person, workflow_ids: set[str]) -> None:
    actor = Actor(user_id=person.user_id, role="admin", relation="platform", session_id=person.session_id)
    with services.database.write() as session:
        for workflow_id in sorted(workflow_ids):
            case_id = case_id_of_workflow(workflow_id)
            known = case_id is not None and session.get(Case, case_id) is not None
            scope = case_id if known and case_id else PLATFORM_SCOPE
            write_audit(session, scope=scope, act="trace.decode", actor=actor, at=now(), subject_id=workflow_id)
