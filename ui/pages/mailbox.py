"""The embedded mode's mailbox: every mail that this installation would have sent. Nobody signs in to read it.

There is no such page in production, where mail goes to its recipients.
"""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from api.deps import Public, ServicesDep, SessionsDep, token_of
from api.mailbox import StoredMail, stored_mails
from schemas.errors import Forbidden, NotFound, NotSignedIn
from schemas.translation import N_
from ui.pages.answers import NO_STORE, answer
from ui.pages.session import embedded
from ui.pages.shell import shell_of
from ui.views import MailboxView, MailView, Page

router: Final = APIRouter(prefix="/dev", dependencies=[Public, Depends(embedded)])


def read_mails(services: ServicesDep) -> list[StoredMail]:
    with services.database.read() as session:
        return stored_mails(session, services.keys)


Mails = Annotated[list[StoredMail], Depends(read_mails)]


def shell_or_plain(request: Request, services: ServicesDep, sessions: SessionsDep) -> Page:
    """With the person's own navigation where somebody is signed in."""
    token = token_of(request)
    title = N_("Mailbox")
    try:
        person = sessions.person(token or "")
    except (NotSignedIn, Forbidden):
        return Page(title=title)
    return shell_of(request, person, services).page(title, "mailbox")


PageDep = Annotated[Page, Depends(shell_or_plain)]


@router.get("/mailbox")
def show_mailbox(mails: Mails, page: PageDep) -> Response:
    return _shown(mails, page, mails[0].id if mails else None)


@router.get("/mailbox/{mail_id}")
def show_mail(mail_id: str, mails: Mails, page: PageDep) -> Response:
    if all(mail.id != mail_id for mail in mails):
        raise NotFound()
    return _shown(mails, page, mail_id)


@router.get("/mailbox.json")
def list_mails(mails: Mails) -> Response:
    items = [
        {
            "id": mail.id,
            "to": mail.to,
            "subject": mail.subject,
            "text": mail.text,
            "links": mail.links,
            "at": mail.at.isoformat(),
        }
        for mail in mails
    ]
    return JSONResponse({"items": items}, headers=NO_STORE)


def _shown(mails: list[StoredMail], page: Page, open_id: str | None) -> Response:
    views = tuple(
        MailView(id=mail.id, url=f"/dev/mailbox/{mail.id}", to=mail.to, subject=mail.subject, when=mail.at)
        for mail in mails
    )
    opened = next(
        (
            replace(view, body=mail.text, links=tuple(mail.links))
            for view, mail in zip(views, mails, strict=True)
            if mail.id == open_id
        ),
        None,
    )
    return answer("pages/mailbox.html", page, view=MailboxView(mails=views, open=opened))
