"""The order of a case's images and documents: groups, places in them, and the words of the practice.

What is arranged is a study or a file that is no DICOM image. Before it is submitted, the practice may move and describe it;
afterwards its words belong to what was read, and stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select as rows_of
from sqlmodel import Session, col, func, select

from activities.imaging.image_sets import FileFrozen, removable
from api.cases import acting
from api.imaging.access import CaseImages, images_of
from api.standing import CaseAccess
from infra.audit import write_audit
from infra.database import now
from infra.feed import publish
from infra.keys import DataKey
from infra.sealing import column_aad, open_json, seal_json
from schemas.arrangement_forms import Labels, Move
from schemas.errors import NotFound
from schemas.ids import new_id
from schemas.tables.arrangement import ArrangedItem, FileGroup
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, Series, StoredFile, Study
from schemas.translation import N_

BLANK: Final = Labels()


@dataclass(frozen=True, slots=True)
class Group:
    """A heading with the ids of its items in order; without an id, what stands under none."""

    id: str | None
    name: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrangement:
    groups: tuple[Group, ...] = ()
    labels: dict[str, Labels] = field(default_factory=dict)

    def labels_of(self, item_id: str) -> Labels:
        return self.labels.get(item_id, BLANK)


def arrangement_of(session: Session, key: DataKey, case_id: str, arrived: Sequence[str]) -> Arrangement:
    """``arrived``: the ids of the items that are shown, in the order of their arrival. Groups without any are there too."""
    rows = {row.id: row for row in session.exec(select(ArrangedItem).where(ArrangedItem.case_id == case_id)).all()}
    groups = _groups(session, case_id)
    by_group: dict[str | None, list[str]] = {None: [], **{group.id: [] for group in groups}}
    for item_id in arrived:
        by_group[rows[item_id].group_id if item_id in rows else None].append(item_id)
    for items in by_group.values():
        items.sort(key=lambda item_id: _place(rows.get(item_id)))
    named = [Group(group.id, _name(key, group), tuple(by_group[group.id])) for group in groups]
    labels = {row.id: _labels(key, row) for row in rows.values() if row.labels is not None}
    return Arrangement((Group(None, "", tuple(by_group[None])), *named), labels)


def describe(session: Session, access: CaseAccess, item_id: str, labels: Labels) -> None:
    """In the caller's transaction, as all of these. Raises NotFound, FileFrozen."""
    _need_open(session, access, _hold(session, access), item_id)
    row = _row(session, access, item_id)
    row.labels = seal_json(access.key, labels.model_dump(mode="json"), column_aad("arranged_item", row.id, "labels"))
    _note(session, access, "describe", item_id)


def move(session: Session, access: CaseAccess, item_id: str, to: Move) -> None:
    """Raises NotFound also for a group or a neighbour that is not there, FileFrozen."""
    arrived = _need_open(session, access, _hold(session, access), item_id)
    if to.group_id is not None:
        _group(session, access, to.group_id)
    group = next(
        group
        for group in arrangement_of(session, access.key, access.row.id, list(arrived)).groups
        if group.id == to.group_id
    )
    there = [other for other in group.items if other != item_id]
    if to.before is not None and to.before not in there:
        raise NotFound()
    there.insert(there.index(to.before) if to.before is not None else len(there), item_id)
    for position, each in enumerate(there):
        row = _row(session, access, each)
        row.group_id, row.position = to.group_id, position
    _note(session, access, "move", item_id)


def step(session: Session, access: CaseAccess, item_id: str, *, up: bool) -> None:
    """One place up or down in its group; at the end of it, nothing. Raises NotFound, FileFrozen."""
    there = _need_open(session, access, _hold(session, access), item_id)
    arrangement = arrangement_of(session, access.key, access.row.id, list(there))
    group = next(group for group in arrangement.groups if item_id in group.items)
    index = group.items.index(item_id)
    if up and index:
        move(session, access, item_id, Move(group_id=group.id, before=group.items[index - 1]))
    elif not up and index + 1 < len(group.items):
        after = group.items[index + 2 : index + 3]
        move(session, access, item_id, Move(group_id=group.id, before=after[0] if after else None))


def add_group(session: Session, access: CaseAccess, name: str) -> str:
    """After the others; returns its id."""
    _hold(session, access)
    last = session.exec(select(func.max(FileGroup.position)).where(FileGroup.case_id == access.row.id)).one()
    group_id = new_id("grp")
    session.add(
        FileGroup(
            id=group_id,
            case_id=access.row.id,
            name=seal_json(access.key, name, column_aad("file_group", group_id, "name")),
            position=0 if last is None else last + 1,
            created_at=now(),
        )
    )
    _note(session, access, "group", group_id)
    return group_id


def rename_group(session: Session, access: CaseAccess, group_id: str, name: str) -> None:
    """Raises NotFound; FileFrozen for one that was read over what stands under it."""
    group = _open_group(session, access, group_id)
    group.name = seal_json(access.key, name, column_aad("file_group", group.id, "name"))
    _note(session, access, "group", group_id)


def drop_group(session: Session, access: CaseAccess, group_id: str) -> None:
    """What stood under it stands under none, after the rest. Raises NotFound, FileFrozen."""
    group = _open_group(session, access, group_id)
    for row in session.exec(select(ArrangedItem).where(ArrangedItem.group_id == group_id)).all():
        row.group_id, row.position = None, None
    session.flush()
    session.delete(group)
    _note(session, access, "ungroup", group_id)


def items_of(session: Session, images: CaseImages) -> dict[str, int | None]:
    """Every study and every other file that this requester sees, in the order of arrival, with the newest image set that
    it is in.
    """
    shown = images.narrow(
        rows_of(col(Study.id), col(Study.created_at), func.max(func.coalesce(StoredFile.first_set, 0)))
        .join(Series, col(Series.study_id) == col(Study.id))
        .join(Instance, col(Instance.series_id) == col(Series.id))
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .where(col(Study.case_id) == images.case.id, col(StoredFile.state) == "ready")
        .group_by(col(Study.id), col(Study.created_at))
        .order_by(col(Study.created_at), col(Study.id))
    )
    studies = {study_id: newest or None for study_id, _, newest in session.connection().execute(shown)}
    files = images.narrow(
        select(StoredFile).where(
            StoredFile.case_id == images.case.id, StoredFile.kind != "dicom", StoredFile.state == "ready"
        )
    )
    ordered = session.exec(files.order_by(col(StoredFile.created_at), col(StoredFile.id))).all()
    return studies | {file.id: file.first_set for file in ordered}


def is_open(case: Case, newest_set: int | None) -> bool:
    """Whether what is in that set may still be moved and described: nobody has read it."""
    return removable(case, newest_set)


def _place(row: ArrangedItem | None) -> tuple[bool, int]:
    """Those without a position last; a sort that keeps equals in place keeps them as they arrived."""
    position = row.position if row is not None else None
    return position is None, position or 0


def _need_open(session: Session, access: CaseAccess, case: Case, item_id: str) -> dict[str, int | None]:
    """All items, of which this one may be arranged."""
    items = items_of(session, images_of(access))
    if item_id not in items:
        raise NotFound()
    if not is_open(case, items[item_id]):
        raise FileFrozen()
    return items


def _open_group(session: Session, access: CaseAccess, group_id: str) -> FileGroup:
    case = _hold(session, access)
    group = _group(session, access, group_id)
    items = items_of(session, images_of(access))
    under = session.exec(select(ArrangedItem.id).where(ArrangedItem.group_id == group_id)).all()
    if not all(is_open(case, items[item_id]) for item_id in under if item_id in items):
        raise FileFrozen(
            N_("What stands under this heading was submitted and belongs to the record; it stays as it is.")
        )
    return group


def _hold(session: Session, access: CaseAccess) -> Case:
    """The case's row, locked first, so that two moves, or a move and a submission, come one after the other."""
    return session.exec(select(Case).where(Case.id == access.row.id).with_for_update()).one()


def _row(session: Session, access: CaseAccess, item_id: str) -> ArrangedItem:
    row = session.get(ArrangedItem, item_id)
    if row is None:
        row = ArrangedItem(id=item_id, case_id=access.row.id)
        session.add(row)
    return row


def _group(session: Session, access: CaseAccess, group_id: str) -> FileGroup:
    group = session.get(FileGroup, group_id)
    if group is None or group.case_id != access.row.id:
        raise NotFound()
    return group


def _groups(session: Session, case_id: str) -> Sequence[FileGroup]:
    return session.exec(
        select(FileGroup).where(FileGroup.case_id == case_id).order_by(col(FileGroup.position), col(FileGroup.id))
    ).all()


def _name(key: DataKey, group: FileGroup) -> str:
    return str(open_json(key, group.name, column_aad("file_group", group.id, "name")))


def _labels(key: DataKey, row: ArrangedItem) -> Labels:
    assert row.labels is not None
    return Labels.model_validate(open_json(key, row.labels, column_aad("arranged_item", row.id, "labels")))


def _note(session: Session, access: CaseAccess, what: str, subject_id: str) -> None:
    session.flush()
    moment = now()
    write_audit(
        session, scope=access.row.id, act=f"files.{what}", actor=acting(access), at=moment, subject_id=subject_id
    )
    publish(session, "file.arranged", at=moment, practice_id=access.row.practice_id, case_id=access.row.id)
