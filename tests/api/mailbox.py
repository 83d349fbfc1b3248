"""What the embedded mode's mailbox holds."""

from dataclasses import dataclass

from sqlmodel import col, select

from infra.sealing import column_aad, open_json
from schemas.tables.release import MailboxMessage
from tests.world import World


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    text: str


def letters(world: World, to: str = "") -> list[Letter]:
    """All mails, the oldest first; to one address where it is given."""
    with world.database.read() as session:
        rows = session.exec(select(MailboxMessage).order_by(col(MailboxMessage.created_at))).all()
    found = []
    for row in rows:
        content = open_json(world.keys, row.content, column_aad("mailbox_message", row.id, "content"))
        assert isinstance(content, dict)
        found.append(Letter(str(content["to"]), str(content["subject"]), str(content["text"])))
    return [letter for letter in found if not to or letter.to == to]
