"""A case's story over HTTP, for tests that look at what it leaves behind."""

import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.system import System


@dataclass
class Story:
    """A case and the people who act on it."""

    system: System
    case_id: str = ""
    patient_id: str = ""
    draft_hash: str = ""
    """Of the report that was written last: a signature names it."""

    def client(self, account: str) -> httpx.Client:
        answer = httpx.post(
            f"{self.system.url}/api/v1/auth/token",
            json={"email": f"{account}@demo.test", "password": self.system.password},
            timeout=30,
        )
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        return httpx.Client(base_url=self.system.url, headers=headers, timeout=30)

    def act(self, client: httpx.Client, action: str, **form: Any) -> dict[str, Any]:
        answer = client.post(
            f"/api/v1/cases/{self.case_id}/actions/{action}",
            json=form,
            headers={"Idempotency-Key": secrets.token_hex(8)},
        )
        assert answer.status_code == 200, f"{action}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def state(self, client: httpx.Client) -> dict[str, Any]:
        return dict(client.get(f"/api/v1/cases/{self.case_id}").json())

    def wait_for(self, client: httpx.Client, *states: str, seconds: float = 40.0) -> dict[str, Any]:
        seen: dict[str, Any] = until(lambda: self.state(client), lambda case: case["state"] in states, seconds)
        return seen

    def open_case(self, dentist: httpx.Client, person: Mapping[str, Any], form: Mapping[str, Any]) -> None:
        patient = dentist.post("/api/v1/patients?confirmed=true", json=dict(person))
        assert patient.status_code == 201, patient.text
        self.patient_id = patient.json()["id"]
        case = dentist.post(
            "/api/v1/cases",
            json={"patient_id": self.patient_id, "priority": "urgent", "form": dict(form)},
            headers={"Idempotency-Key": secrets.token_hex(8)},
        )
        assert case.status_code == 201, case.text
        self.case_id = case.json()["id"]

    def upload(self, dentist: httpx.Client, files: Sequence[tuple[str, bytes]]) -> None:
        for name, content in files:
            send_file(dentist, content, case_id=self.case_id, filename=name)
        dentist.post(f"/api/v1/cases/{self.case_id}/files/settled", json={})

    def write_report(self, radiologist: httpx.Client, text: str, addendum: str = "") -> None:
        answer = radiologist.get(f"/api/v1/cases/{self.case_id}/report/draft")
        draft = answer.json()
        if addendum:
            draft["addendum"] = addendum
        else:
            report = draft["content"]
            report["examination"]["technique"] = text
            report["quality"] = {"rating": "limited", "limits": text}
            for region in report["regions"]:
                region |= {"status": "finding", "text": text}
            report["areas_of_interest"] = [{"teeth": ["36"], "site": "", "text": text}]
            report["impression"] = text
        saved = radiologist.put(
            f"/api/v1/cases/{self.case_id}/report/draft", json=draft, headers={"If-Match": answer.headers["etag"]}
        )
        assert saved.is_success, saved.text
        self.draft_hash = saved.json()["draft_hash"]

    def give_to(self, account: str) -> httpx.Client:
        """The case goes to this radiologist, who accepts."""
        client = self.client(account)
        scheduler = self.client("scheduler")
        me = client.get("/api/v1/me").json()["id"]
        if self.wait_for(scheduler, "assigned")["assignee"]["id"] != me:
            self.act(scheduler, "reassign", radiologist_id=me)
        self.act(client, "accept")
        return client


def until(look: Callable[[], Any], holds: Callable[[Any], bool], seconds: float = 40.0) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if holds(seen):
            return seen
        assert time.monotonic() < deadline, f"still {str(seen)[:300]}"
        time.sleep(0.1)


def files_of(folder: Path) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(folder.rglob("*.dcm"))]


def send_file(sender: httpx.Client, content: bytes, **metadata: str) -> None:
    """In one request, which creates the upload and carries all of it."""
    answer = sender.post(
        "/api/v1/uploads",
        content=content,
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(len(content)),
            "Content-Type": "application/offset+octet-stream",
            "Upload-Metadata": ",".join(f"{name} {_b64(value)}" for name, value in metadata.items()),
        },
    )
    assert answer.status_code == 201, answer.text


def _b64(text: str) -> str:
    return b64encode(text.encode()).decode()
