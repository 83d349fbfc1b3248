"""Readiness: real calls, because an open port alone says nothing. Small enough not to need an HTTP library."""

import socket
from urllib.parse import quote

PROBE_SECONDS = 1.0


def http(port: int, path: str, *, body: bytes | None = None, host: str = "127.0.0.1") -> tuple[int, bytes] | None:
    """One HTTP/1.0 request (POST with a JSON body when there is one): status and body, or None without an answer."""
    head = f"{'GET' if body is None else 'POST'} {path} HTTP/1.0\r\nHost: {host}:{port}\r\nConnection: close\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    try:
        with socket.create_connection((host, port), timeout=PROBE_SECONDS) as connection:
            connection.sendall(f"{head}\r\n".encode() + (body or b""))
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
    except OSError:
        return None
    headers, _, content = answer.partition(b"\r\n\r\n")
    words = headers.split(b" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        return None
    return int(words[1]), content


def web_is_ready(port: int, host: str) -> bool:
    """``/readyz`` says 200 once database, blobs, Temporal and a worker answer."""
    # 0.0.0.0 and :: are addresses to listen on, not to call.
    target = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104
    answer = http(port, "/readyz", host=target)
    return answer is not None and answer[0] == 200


def namespace_retention(port: int, namespace: str) -> str | None:
    """The namespace's retention as Temporal writes it (``86400s``); None while the server does not answer for it."""
    answer = http(port, f"/api/v1/namespaces/{quote(namespace, safe='')}")
    if answer is None or answer[0] != 200:
        return None
    import json

    return str(json.loads(answer[1])["config"]["workflowExecutionRetentionTtl"])


def set_namespace_retention(port: int, namespace: str, retention: str) -> bool:
    """Sets the retention (``2592000s``); True when Temporal took it."""
    import json

    body = json.dumps({"config": {"workflowExecutionRetentionTtl": retention}}).encode()
    answer = http(port, f"/api/v1/namespaces/{quote(namespace, safe='')}/update", body=body)
    return answer is not None and answer[0] == 200


def queue_is_polled_by(port: int, namespace: str, queue: str, pid: int) -> bool:
    """Whether Temporal sees that process asking for workflow tasks. A worker is known as ``PID@host`` unless it says otherwise."""
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/task-queues/{quote(queue, safe='')}"
    answer = http(port, f"{path}?taskQueueType=TASK_QUEUE_TYPE_WORKFLOW")
    if answer is None or answer[0] != 200:
        return False
    import json

    return any(poller["identity"].startswith(f"{pid}@") for poller in json.loads(answer[1]).get("pollers", []))
