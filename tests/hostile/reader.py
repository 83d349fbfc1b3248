"""Looking at a pool's child from outside."""

from pathlib import Path

from activities.imaging.parser.pool import ParserPool


def peak_bytes(pool: ParserPool) -> int:
    """Most memory that the child of a pool of one ever held (VmHWM), in bytes. It must be alive."""
    with pool.child() as child:
        status = Path(f"/proc/{child.pid}/status").read_text().splitlines()
    (kilobytes,) = [int(line.split()[1]) for line in status if line.startswith("VmHWM:")]
    return kilobytes * 1024
