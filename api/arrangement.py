"""The order of images and documents: groups, places in them, and the words of the practice.

What is arranged has a :class:`Home`: a case (``api.case_arrangement``) or a patient's record (``api.record_arrangement``).
The home says what is there and what of it may still be moved and described; the rules here are the same in both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sqlmodel import Session, col, func, select

from activities.imaging.image_sets import FileFrozen
from infra.database import now
from infra.keys import DataKey
from infra.sealing import column_aad, open_json, seal_json
from schemas.arrangement_forms import ArrangedGroupView, ArrangedItemView, ArrangementView, Labels, Move
from schemas.errors import NotFound
from schemas.ids import new_id
from schemas.tables.arrangement import ArrangedItem, FileGroup
from schemas.translation import N_

BLANK: Final = Labels()


class Shelf(Protocol):
    """Where things stand in order."""

    @property
    def key(self) -> DataKey:
        """Seals the words."""
        ...

    @property
    def owner(self) -> Mapping[str, str]:
        """The column of the tables that names it, with its id."""
        ...

    @property
    def newest_first(self) -> bool:
        """Whether what nobody has moved stands before the rest, as the list of a record has it, or after it, as in a case."""
        ...


class Home(Shelf, Protocol):
    """The same for one person who may arrange them."""

    @property
    def shows_empty(self) -> bool:
        """Whether this person sees headings with nothing under them: they may be for what only the practice sees yet."""
        ...

    def hold(self, session: Session) -> None:
        """Locks its row first, so that two moves, or a move and a submission, come one after the other."""
        ...

    def items(self, session: Session) -> Mapping[str, bool]:
        """Every item as it stands unmoved, and whether it may be moved and described now."""
        ...

    def note(self, session: Session, what: str, subject_id: str) -> None:
        """The act's audit row and the feed's event."""
        ...


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

    def group_of(self, item_id: str) -> Group:
        """Raises NotFound for what is not here."""
        group = next((group for group in self.groups if item_id in group.items), None)
        if group is None:
            raise NotFound()
        return group


def arrangement_of(session: Session, home: Shelf, arrived: Sequence[str]) -> Arrangement:
    """``arrived``: the ids of the items that are shown, as they stand unmoved. Groups without any are there too."""
    rows = {row.id: row for row in session.exec(select(ArrangedItem).filter_by(**home.owner)).all()}
    groups = _groups(session, home)
    by_group: dict[str | None, list[str]] = {None: [], **{group.id: [] for group in groups}}
    for item_id in arrived:
        by_group[rows[item_id].group_id if item_id in rows else None].append(item_id)
    for items in by_group.values():
        items.sort(key=lambda item_id: _place(rows.get(item_id), newest_first=home.newest_first))
    named = [Group(group.id, _name(home.key, group), tuple(by_group[group.id])) for group in groups]
    labels = {row.id: _labels(home.key, row) for row in rows.values() if row.labels is not None}
    return Arrangement((Group(None, "", tuple(by_group[None])), *named), labels)


def arrangement_view(session: Session, home: Home) -> ArrangementView:
    """As the API answers it."""
    items = home.items(session)
    arrangement = arrangement_of(session, home, list(items))
    return ArrangementView(
        groups=[
            ArrangedGroupView(
                id=group.id,
                name=group.name if group.id else None,
                items=[
                    ArrangedItemView(id=item_id, labels=arrangement.labels_of(item_id), is_open=items[item_id])
                    for item_id in group.items
                ],
            )
            for group in arrangement.groups
            if group.items or group.id is None or home.shows_empty
        ]
    )


def describe(session: Session, home: Home, item_id: str, labels: Labels) -> None:
    """In the caller's transaction, as all of these. Raises NotFound, FileFrozen."""
    home.hold(session)
    _need_open(session, home, item_id)
    row = _row(session, home, item_id)
    row.labels = seal_json(home.key, labels.model_dump(mode="json"), column_aad("arranged_item", row.id, "labels"))
    _note(session, home, "describe", item_id)


def move(session: Session, home: Home, item_id: str, to: Move) -> None:
    """Raises NotFound also for a group or a neighbour that is not there, FileFrozen."""
    home.hold(session)
    arrived = _need_open(session, home, item_id)
    if to.group_id is not None:
        _group(session, home, to.group_id)
    group = next(group for group in arrangement_of(session, home, list(arrived)).groups if group.id == to.group_id)
    there = [other for other in group.items if other != item_id]
    if to.before is not None and to.before not in there:
        raise NotFound()
    there.insert(there.index(to.before) if to.before is not None else len(there), item_id)
    for position, each in enumerate(there):
        row = _row(session, home, each)
        row.group_id, row.position = to.group_id, position
    _note(session, home, "move", item_id)


def step(session: Session, home: Home, item_id: str, *, up: bool) -> None:
    """One place up or down in its group; at the end of it, nothing. Raises NotFound, FileFrozen."""
    home.hold(session)
    there = _need_open(session, home, item_id)
    group = arrangement_of(session, home, list(there)).group_of(item_id)
    index = group.items.index(item_id)
    if up and index:
        move(session, home, item_id, Move(group_id=group.id, before=group.items[index - 1]))
    elif not up and index + 1 < len(group.items):
        after = group.items[index + 2 : index + 3]
        move(session, home, item_id, Move(group_id=group.id, before=after[0] if after else None))


def add_group(session: Session, home: Home, name: str) -> str:
    """After the others; returns its id."""
    home.hold(session)
    positions = [group.position for group in _groups(session, home)]
    group_id = new_id("grp")
    session.add(
        FileGroup(
            id=group_id,
            **home.owner,
            name=seal_json(home.key, name, column_aad("file_group", group_id, "name")),
            position=max(positions, default=-1) + 1,
            created_at=now(),
        )
    )
    _note(session, home, "group", group_id)
    return group_id


def rename_group(session: Session, home: Home, group_id: str, name: str) -> None:
    """Raises NotFound; FileFrozen for one that was read over what stands under it."""
    group = _open_group(session, home, group_id)
    group.name = seal_json(home.key, name, column_aad("file_group", group.id, "name"))
    _note(session, home, "group", group_id)


def drop_group(session: Session, home: Home, group_id: str) -> None:
    """What stood under it stands under none, after the rest. Raises NotFound, FileFrozen."""
    group = _open_group(session, home, group_id)
    last = session.exec(
        select(func.max(ArrangedItem.position)).filter_by(**home.owner).where(col(ArrangedItem.group_id).is_(None))
    ).one()
    under = session.exec(select(ArrangedItem).where(ArrangedItem.group_id == group_id)).all()
    for number, row in enumerate(sorted(under, key=lambda row: row.position or 0), start=1):
        row.group_id = None
        row.position = (last if last is not None else -1) + number if home.newest_first else None
    session.flush()
    session.delete(group)
    _note(session, home, "ungroup", group_id)


def _place(row: ArrangedItem | None, *, newest_first: bool) -> tuple[bool, int]:
    """A sort that keeps equals in place keeps those without a position as they arrived."""
    position = row.position if row is not None else None
    return (position is None) != newest_first, position or 0


def _need_open(session: Session, home: Home, item_id: str) -> Mapping[str, bool]:
    """All items, of which this one may be arranged."""
    items = home.items(session)
    if item_id not in items:
        raise NotFound()
    if not items[item_id]:
        raise FileFrozen()
    return items


def _open_group(session: Session, home: Home, group_id: str) -> FileGroup:
    home.hold(session)
    group = _group(session, home, group_id)
    items = home.items(session)
    under = session.exec(select(ArrangedItem.id).where(ArrangedItem.group_id == group_id)).all()
    if not all(items.get(item_id, True) for item_id in under):
        raise FileFrozen(
            N_("What stands under this heading was submitted and belongs to the record; it stays as it is.")
        )
    return group


def _row(session: Session, home: Home, item_id: str) -> ArrangedItem:
    row = session.get(ArrangedItem, item_id)
    if row is None:
        row = ArrangedItem(id=item_id, case_id=home.owner.get("case_id"), patient_id=home.owner.get("patient_id"))
        session.add(row)
    return row


def _group(session: Session, home: Home, group_id: str) -> FileGroup:
    found = session.exec(select(FileGroup).filter_by(id=group_id, **home.owner)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def _groups(session: Session, home: Shelf) -> Sequence[FileGroup]:
    return session.exec(
        select(FileGroup).filter_by(**home.owner).order_by(col(FileGroup.position), col(FileGroup.id))
    ).all()


def _name(key: DataKey, group: FileGroup) -> str:
    return str(open_json(key, group.name, column_aad("file_group", group.id, "name")))


def _labels(key: DataKey, row: ArrangedItem) -> Labels:
    assert row.labels is not None
    return Labels.model_validate(open_json(key, row.labels, column_aad("arranged_item", row.id, "labels")))


def _note(session: Session, home: Home, what: str, subject_id: str) -> None:
    session.flush()
    home.note(session, what, subject_id)
