"""A person's browser, as small as it can be: one kept-alive connection and a bearer token."""

import http.client
import json
import time
from collections.abc import Mapping
from typing import Any

from bench.site import PASSWORD
from worker.up.probes import http as probe


class Browser:
    """Blocking."""

    def __init__(self, port: int, name: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Content-Type": "application/json"}
        status, answer = self.post("/api/v1/auth/token", {"email": f"{name}@demo.test", "password": PASSWORD})
        assert status == 200, answer
        self._headers["Authorization"] = f"Bearer {answer['token']}"

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": self._headers["Authorization"]}

    def post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> tuple[int, Any]:
        headers = self._headers if key is None else {**self._headers, "Idempotency-Key": key}
        return self._send("POST", path, json.dumps(body).encode(), headers)

    def get(self, path: str) -> tuple[int, Any]:
        return self._send("GET", path, None, self._headers)

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, Any]:
        self._connection.request(method, path, body, dict(headers))
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        """The next request connects anew: a server closes connections that rest for some seconds."""
        self._connection.close()


def until_served(port: int, seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while (answer := probe(port, "/readyz")) is None or answer[0] != 200:
        if time.monotonic() > end:
            raise TimeoutError(f"the web server does not become ready: {answer}")
        time.sleep(0.05)
