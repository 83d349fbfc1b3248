"""Live events."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from api.deps import PersonDep, ServicesDep, SessionsDep, token_of
from api.streams import event_stream, need_place

router = APIRouter(prefix="/api/v1", tags=["live"])


@router.get("/events")
async def read_events(
    request: Request,
    person: PersonDep,
    services: ServicesDep,
    sessions: SessionsDep,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20)] = None,
) -> StreamingResponse:
    """Server-Sent Events: ``case``, ``chat``, ``report``, ``notification``, each with a kind and a case id.

    A client that reconnects with ``Last-Event-ID`` misses nothing. ``reset`` says that what came after it is not kept any
    more, or is too much to be told again: read anew what you show.
    """
    need_place(services, person)
    # Ids have at most 18 digits; a longer number was never one of them.
    known = last_event_id is not None and last_event_id.isdecimal() and len(last_event_id) < 19
    position = int(last_event_id) if last_event_id and known else None
    stream = event_stream(services, sessions, token_of(request) or "", position)
    return StreamingResponse(
        stream, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
