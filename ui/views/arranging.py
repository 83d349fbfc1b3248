"""Pages on which something is put in order: one item, and one heading, of a case or of a patient's record."""

from collections.abc import Mapping
from dataclasses import dataclass

from ui.views.forms import FormState, Option


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrangeView:
    """The page of one study, file or document: its words, its teeth, its heading. ``lead`` is what it came with. ``crumbs``
    are words and addresses of the way to it, the last of which is where one goes back to. ``has_own_name``: a document of a
    record, which always has one; other things may go without, and a reader is told of them.
    """

    url: str
    crumbs: tuple[tuple[str, str], ...]
    lead: str
    form: FormState
    groups: tuple[Option, ...]
    tooth_labels: Mapping[str, str]
    has_own_name: bool = False

    @property
    def back_url(self) -> str:
        return self.crumbs[-1][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPageView:
    """The page of one heading."""

    url: str
    remove_url: str
    crumbs: tuple[tuple[str, str], ...]
    form: FormState

    @property
    def back_url(self) -> str:
        return self.crumbs[-1][1]
