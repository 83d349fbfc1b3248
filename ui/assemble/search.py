"""Finding rows among those that are open: by patient, number, practice, study or tooth."""

from collections.abc import Iterable

from schemas.identity import fold_tokens
from ui.views import CaseRow


def matching(rows: Iterable[CaseRow], text: str) -> tuple[CaseRow, ...]:
    """Rows in which every typed word begins some word; case and accents do not matter. Nothing typed finds nothing."""
    wanted = fold_tokens(text)
    return tuple(row for row in rows if wanted and _has(row, wanted))


def _has(row: CaseRow, wanted: Iterable[str]) -> bool:
    words = fold_tokens(
        " ".join((row.patient, row.number, row.practice, row.purpose, row.modality, row.radiologist, *row.teeth))
    )
    return all(any(word.startswith(part) for word in words) for part in wanted)
