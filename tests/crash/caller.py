"""People at the API who insist: the same request with the same key until there is an answer."""

import asyncio
import secrets
import time
from base64 import b64encode
from typing import Any, Final

import httpx

from activities.records.commands import APPLIED, RECEIVED, NewCommand
from infra.demo_accounts import DEMO_PASSWORD
from infra.envelopes import EnvelopeExpired
from schemas.lifecycle import Action
from tests.crash.ledger import Ledger, Told

PATIENCE_S: Final = 240.0
"""For one answer. It is far beyond any promise: a campaign on a busy machine must not fail for slowness."""
_PAUSE_S: Final = 0.25
_LOOKS: Final = 8
"""How often a command is looked up before it is sent again."""
_BUSY: Final = frozenset({423, 425, 429})
_TOO_LATE: Final = frozenset({"lapsed", EnvelopeExpired.code})
"""Answers that say: nothing was done, please repeat it. The person does, with a new key."""
_TUS: Final = {"Tus-Resumable": "1.0.0"}
_BYTES: Final = {**_TUS, "Content-Type": "application/offset+octet-stream"}


class Unanswered(Exception):
    """Nobody insists for ever."""


class Surprising(Exception):
    """An answer that no kill explains."""


def new_key() -> str:
    return secrets.token_hex(12)


def code_of(answer: httpx.Response) -> str:
    if "problem+json" not in answer.headers.get("content-type", ""):
        return ""
    return str(answer.json().get("code", ""))


class Caller:
    def __init__(self, url: str, ledger: Ledger) -> None:
        self.ledger = ledger
        self._client = httpx.AsyncClient(base_url=url, timeout=20)
        self._tokens: dict[str, str] = {}
        self._names: dict[str, str] = {}

    async def close(self) -> None:
        await self._client.aclose()

    async def sign_in(self, name: str) -> None:
        answer = await self._client.post(
            "/api/v1/auth/token", json={"email": f"{name}@demo.test", "password": DEMO_PASSWORD}
        )
        self._tokens[name] = need(answer, 200, 201).json()["token"]
        self._names[need(await self.ask(name, "GET", "/api/v1/me"), 200).json()["id"]] = name

    def name_of(self, user_id: str) -> str:
        return self._names[user_id]

    async def ask(
        self, name: str, method: str, path: str, headers: dict[str, str] | None = None, **request: Any
    ) -> httpx.Response:
        """The first answer that is one. A lost line, an error of the server and a busy one are asked again."""
        self.ledger.asked += 1
        deadline = time.monotonic() + PATIENCE_S
        whole = {"Authorization": f"Bearer {self._tokens[name]}", **(headers or {})}
        with self.ledger.waiting():
            while True:
                try:
                    answer = await self._client.request(method, path, headers=whole, **request)
                except httpx.TransportError as error:
                    why = type(error).__name__
                else:
                    if answer.status_code < 500 and answer.status_code not in _BUSY:
                        return answer
                    why = f"{answer.status_code} {code_of(answer)}".strip()
                self._again(why, deadline, f"{method} {path}")
                await asyncio.sleep(_PAUSE_S)

    def _again(self, why: str, deadline: float, what: str) -> None:
        self.ledger.repeats[why] += 1
        if time.monotonic() > deadline:
            raise Unanswered(f"{what}: {why}")

    async def act(self, name: str, case_id: str, action: Action, **form: Any) -> None:
        """A step of the case, until it is taken."""
        deadline = time.monotonic() + PATIENCE_S
        key = new_key()
        with self.ledger.waiting():
            while True:
                answer = await self.ask(
                    name,
                    "POST",
                    f"/api/v1/cases/{case_id}/actions/{action}",
                    {"Idempotency-Key": key},
                    json=form,
                )
                command_id = command_id_of(case_id, key)
                outcome, code = APPLIED, code_of(answer)
                if answer.status_code == 202:
                    if answer.json()["command_id"] != command_id:
                        raise Surprising(f"the command of {action} has another id")
                    outcome, code = await self._look_up(name, command_id)
                elif answer.status_code != 200:
                    outcome = "refused"
                if outcome == APPLIED:
                    self.ledger.applied.append(Told(case_id, command_id, action))
                    return
                if outcome != RECEIVED:
                    if code not in _TOO_LATE:
                        raise Surprising(f"{action} of {case_id}: {answer.status_code} {code} {answer.text[:300]}")
                    self.ledger.undone[command_id] = code
                    key = new_key()
                self._again("202" if outcome == RECEIVED else code, deadline, action)

    async def _look_up(self, name: str, command_id: str) -> tuple[str, str]:
        """Outcome and code of a command whose outcome was not known."""
        found = {"outcome": RECEIVED, "code": ""}
        for _ in range(_LOOKS):
            await asyncio.sleep(2 * _PAUSE_S)
            found = need(await self.ask(name, "GET", f"/api/v1/commands/{command_id}"), 200).json()
            if found["outcome"] != RECEIVED:
                break
        return found["outcome"], found["code"] or ""

    async def upload(self, name: str, home: dict[str, str], content: bytes, filename: str) -> None:
        """To a case or a patient's record. Half of the file comes with the creation, the rest goes where the server says that
        it stands."""
        words = {**home, "filename": filename}
        metadata = ",".join(f"{word} {b64encode(value.encode()).decode()}" for word, value in words.items())
        creation = {**_BYTES, "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        half = content[: len(content) // 2]
        with self.ledger.waiting():
            made = await self.ask(
                name, "POST", "/api/v1/uploads", {**creation, "Idempotency-Key": new_key()}, content=half
            )
            place, offset = need(made, 201).headers["Location"], int(made.headers["Upload-Offset"])
            while offset < len(content):
                headers = {**_BYTES, "Upload-Offset": str(offset)}
                answer = await self.ask(name, "PATCH", place, headers, content=content[offset:])
                if answer.status_code == 409:
                    answer = await self.ask(name, "HEAD", place, _TUS)
                offset = int(need(answer, 200, 204).headers["Upload-Offset"])


def command_id_of(owner_id: str, key: str) -> str:
    """Under which the API keeps a command: ``owner_id`` is the case's, or the practice's for the opening of a case."""
    return NewCommand(case_id=owner_id, key_id="", action=Action.CREATE, user_id="", idempotency_key=key, form={}).id


def need(answer: httpx.Response, *statuses: int) -> httpx.Response:
    if answer.status_code not in statuses:
        request = answer.request
        raise Surprising(f"{request.method} {request.url.path}: {answer.status_code} {answer.text[:300]}")
    return answer
