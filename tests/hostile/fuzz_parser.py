"""Fuzzing for as long as one likes: ``python -m tests.hostile.fuzz_parser [seconds]``.

With atheris (``pip install atheris``) coverage leads the way, and its own options follow the seconds; without it good
files are changed at random. A defect ends the run and is written to ``crash-…`` in the current directory.
"""

import hashlib
import random
import sys
import time
from pathlib import Path

try:
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore] # optional, and without stubs
except ImportError:
    atheris = None

if atheris is not None:
    with atheris.instrument_imports(include=["activities.imaging.parser"]):
        from tests.hostile.target import read
else:
    from tests.hostile.target import read

from tests.hostile.seeds import seeds


def at_random(seconds: float) -> int:
    """Files tried. Raises what ``read`` raises, once the file is kept."""
    until, count, good = time.monotonic() + seconds, 0, seeds()
    while time.monotonic() < until:
        content = _changed(random.choice(good))
        count += 1
        try:
            read(content)
        except BaseException:
            Path(f"crash-{hashlib.sha256(content).hexdigest()[:16]}").write_bytes(content)
            raise
    return count


def _changed(content: bytes) -> bytes:
    whole = bytearray(content)
    for _ in range(random.randint(1, 8)):
        at, length = random.randrange(len(whole) + 1), random.choice((1, 2, 4, 8, 64))
        match random.randrange(4):
            case 0:
                whole[at : at + length] = random.randbytes(length)
            case 1:
                whole[at:at] = whole[at - length : at] or b"\xff" * length
            case 2:
                del whole[at : at + length]
            case _:
                whole[at : at + 4] = random.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xfe\xff\xff\xff", b"\xf0\xff\xff\x7f")
                )
    return bytes(whole)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    if atheris is None:
        sys.stdout.write(f"{at_random(seconds)} files in {seconds:.0f} s, no defect (atheris is not installed)\n")
        return
    folder = Path("fuzz-seeds")
    folder.mkdir(exist_ok=True)
    for number, seed in enumerate(seeds()):
        (folder / str(number)).write_bytes(seed)
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds:.0f}", *sys.argv[2:], str(folder)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
