"""The pool of file readers that a process of this installation has."""

from activities.imaging.parser.pool import ParserPool
from infra.settings import Settings
from infra.virus_scan import ClamAv


def open_readers(settings: Settings, size: int = 2) -> ParserPool:
    """As the settings say: the bound of archives, and a virus scanner where there is one."""
    scanner = ClamAv(settings.clamav) if settings.clamav else None
    return ParserPool(size, archive_bytes=settings.archive_max_bytes, scanner=scanner)
