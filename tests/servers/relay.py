"""A mail relay as bad as real ones: it refuses addresses, puts off, hangs, or is away; and keeps what it took."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import cast

from infra.mail import SmtpMailer


@dataclass
class Relay:
    """``answers`` are the codes for recipients that it does not take. ``hangs_at`` is a command's name, or None."""

    port: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    hangs_at: str | None = None
    taken: list[tuple[str, Message]] = field(default_factory=list)
    """Recipient and mail, in the order in which they were accepted."""
    waiting: int = 0
    """Conversations that have hung so far."""
    let_go: threading.Event = field(default_factory=threading.Event)

    def mailer(self) -> SmtpMailer:
        return SmtpMailer(f"smtp://127.0.0.1:{self.port}", "OdontoFlow <no-reply@example.test>")

    def come_back(self) -> None:
        """Drops whoever hangs, and serves whoever comes then."""
        self.hangs_at = None
        self.let_go.set()

    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.taken]


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        relay = cast(_Server, self.server).relay
        recipient = ""
        self._say("220 relay.example.test")
        for line in self.rfile:
            word = line.split(b" ")[0].strip().decode().upper()
            if word == relay.hangs_at:
                relay.waiting += 1
                relay.let_go.wait(120)
                return
            if word == "RCPT":
                recipient = line.decode().split("<")[1].split(">")[0]
                self._say(f"{relay.answers.get(recipient, 250)} {recipient}")
            elif word == "DATA":
                self._say("354 go on")
                relay.taken.append((recipient, message_from_bytes(self._content())))
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 relay.example.test")

    def _content(self) -> bytes:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    relay: Relay


@contextmanager
def relay() -> Iterator[Relay]:
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        server.relay = Relay(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.relay
        finally:
            server.relay.let_go.set()
            server.shutdown()
            thread.join()
