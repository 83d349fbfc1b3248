"""The mail of the embedded mode, as it would lie in its recipients' mailboxes."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from infra.keystore import KeyStore
from infra.sealing import column_aad, open_json
from schemas.tables.release import MailboxMessage

_LINK: Final = re.compile(r"https?://[^\s<>\"]+")
_SHOWN: Final = 200


@dataclass(frozen=True)
class StoredMail:
    id: str
    to: str
    subject: str
    text: str
    at: datetime

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.text)


def stored_mails(session: Session, keys: KeyStore) -> list[StoredMail]:
    """The newest two hundred, the newest first."""
    rows = session.exec(
        select(MailboxMessage)
        .order_by(col(MailboxMessage.created_at).desc(), col(MailboxMessage.id).desc())
        .limit(_SHOWN)
    ).all()
    return [_opened(keys, row) for row in rows]


def _opened(keys: KeyStore, row: MailboxMessage) -> StoredMail:
    content = open_json(keys, row.content, column_aad("mailbox_message", row.id, "content"))
    found = content if isinstance(content, dict) else {}
    return StoredMail(
        id=row.id,
        to=str(found.get("to", "")),
        subject=str(found.get("subject", "")),
        text=str(found.get("text", "")),
        at=row.created_at,
    )
