"""Orthanc with its DICOMweb plugin, as Debian's packages `orthanc` and `orthanc-dicomweb` bring them: with what it comes
with (its own fsync among it), and with sign-in.

GPL and AGPL: a program beside the benchmark, never a part of the product.
"""

import json
import os
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.peers.found import NotHere
from bench.programs import program
from worker.up.engine import free_port
from worker.up.probes import http as probe

SETTING: Final = "BENCH_ORTHANC"
"""Path of the program, where it is not on PATH: packages that were only unpacked work as well."""
ROOT: Final = "/dicom-web"
_NAME, _PASSWORD = "bench", "bench"
_PATIENCE_S: Final = 30.0
_PLUGIN: Final = "libOrthancDicomWeb.so*"


@dataclass(frozen=True)
class Orthanc:
    port: int
    pid: int
    headers: Mapping[str, str]
    """Sign-in."""


@contextmanager
def orthanc(folder: Path) -> Iterator[Orthanc]:
    """An empty one. Raises NotHere."""
    path = _found()
    prefix = path.parents[1]
    plugins = sorted(
        each for place in ("lib/orthanc", "share/orthanc/plugins") for each in (prefix / place).glob(_PLUGIN)
    )
    if not plugins:
        raise NotHere("Orthanc's DICOMweb plugin is missing (Debian: orthanc-dicomweb)")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    storage = str(folder / "storage")
    configuration = folder / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "StorageDirectory": storage,
                "IndexDirectory": storage,
                "HttpPort": port,
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": True,
                "RegisteredUsers": {_NAME: _PASSWORD},
                "DicomServerEnabled": False,
                "Plugins": [str(plugins[0])],
                "DicomWeb": {"Enable": True, "Root": f"{ROOT}/"},
            }
        )
    )
    env = _libraries(prefix) | {"LD_PRELOAD": str(_loopback(folder))}
    with program("orthanc", [str(path), str(configuration)], folder, env) as pid:
        end = time.monotonic() + _PATIENCE_S
        while probe(port, "/system") is None:
            if time.monotonic() > end:
                raise TimeoutError("Orthanc does not answer")
            time.sleep(0.05)
        credentials = b64encode(f"{_NAME}:{_PASSWORD}".encode()).decode()
        yield Orthanc(port, pid, {"Authorization": f"Basic {credentials}"})


def _found() -> Path:
    named = os.environ.get(SETTING)
    path = named or shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None or not Path(path).is_file():
        raise NotHere(f"Orthanc is missing (Debian: orthanc and orthanc-dicomweb; elsewhere name it in {SETTING})")
    return Path(path).resolve()


def _libraries(prefix: Path) -> dict[str, str]:
    """Of packages that were unpacked into a folder of their own."""
    if prefix == Path("/usr"):
        return {}
    folders = [*prefix.glob("lib/*-linux-gnu"), prefix / "lib"]
    dictionaries = sorted(prefix.glob("share/libdcmtk*/dicom.dic"))
    found = {"LD_LIBRARY_PATH": ":".join(map(str, folders))}
    return found | ({"DCMDICTPATH": str(dictionaries[0])} if dictionaries else {})


def _loopback(folder: Path) -> Path:
    """Orthanc listens on every address, whatever it is told; on a machine that others reach that will not do."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotHere("a C compiler is missing (Debian: gcc), without which Orthanc would listen to the whole network")
    library = folder / "loopback.so"
    source = Path(__file__).with_name("loopback.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    return library
