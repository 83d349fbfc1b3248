"""The page on which the images of a case are put into series."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTile:
    """One image. One that ``is_moved`` may go back, ``came_from`` names the series to which; one that is not ``is_open`` was submitted."""

    id: str
    name: str
    preview: str = ""
    is_moved: bool = False
    came_from: str = ""
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesCard:
    """A series, or a photograph alone. ``rest`` are images that are not shown as tiles; ``all_url`` shows them."""

    id: str
    name: str
    about: str
    tiles: tuple[ImageTile, ...]
    rest: int = 0
    all_url: str = ""
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPageView:
    """``chosen`` are ids of ticked images, of a try that was refused for the reason in ``problem``."""

    case_id: str
    number: str
    url: str
    list_url: str
    api_url: str
    cards: tuple[SeriesCard, ...]
    chosen: frozenset[str] = field(default_factory=frozenset)
    target: str = ""
    problem: str = ""
