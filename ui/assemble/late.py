"""What came after a signature, in words for the one who says whether the report stands."""

from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from api.imaging.access import CaseImages
from api.imaging.files import description_of
from infra.file_names import name_of
from schemas.files import FileKind, FileState
from schemas.state import CaseState, LateCheck
from schemas.tables.imaging import Instance, Series, StoredFile
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.assemble.studies import kind_word

_NAMED: Final = 6


def late_note(session: Session, images: CaseImages, state: CaseState, looker: Looker) -> str:
    """Empty where nothing waits for the radiologist's word."""
    if state.late is None or state.late.check is not LateCheck.OFFERED:
        return ""
    names = [*_series(session, images, state, looker), *_files(session, images, state)]
    more = "…" if len(names) > _NAMED else ""
    return looker.say(
        N_("Added after the signature: %(names)s. Look at what is new; then the report stands, or you amend it."),
        names=", ".join(names[:_NAMED]) + more,
    )


def _series(session: Session, images: CaseImages, state: CaseState, looker: Looker) -> list[str]:
    rows = session.exec(
        select(Series, func.count())
        .join(Instance, col(Instance.series_id) == col(Series.id))
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .where(StoredFile.case_id == images.case.id, StoredFile.state == FileState.READY, *_since_signature(state))
        .group_by(col(Series.id))
        .order_by(col(Series.number), col(Series.series_uid))
    ).all()
    return [
        f"{description_of(images.key, series) or looker.say(kind_word(series.modality))} "
        f"({looker.say_many(N_('%(num)s image'), N_('%(num)s images'), count)})"
        for series, count in rows
    ]


def _files(session: Session, images: CaseImages, state: CaseState) -> list[str]:
    kinds = (FileKind.PHOTO, FileKind.DOCUMENT, FileKind.SURFACE)
    rows = session.exec(
        select(StoredFile)
        .where(StoredFile.case_id == images.case.id, StoredFile.state == FileState.READY)
        .where(col(StoredFile.kind).in_(kinds), *_since_signature(state))
        .order_by(col(StoredFile.created_at))
    ).all()
    return [name_of(images.key, row)["name"] for row in rows]


def _since_signature(state: CaseState) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    added = col(StoredFile.first_set)
    return added > state.signed_up_to, added <= state.readable_up_to
