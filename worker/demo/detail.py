"""How fine the demo's studies are."""

from dataclasses import dataclass
from enum import Enum

from worker.demo.arch import Grid
from worker.demo.phantom import HIGHEST, LOWEST, axial_grid

_FIELD_OF_VIEW = 80.0  # height of the CBCT's field of view, mm


@dataclass(frozen=True)
class _Figures:
    columns: int
    slices: int
    panoramic_columns: int
    film_sampling: float
    film_pitch: float
    photograph_columns: int


class Detail(Enum):
    """How fine the studies are."""

    TEST = _Figures(96, 24, 240, 1.0, 0.5, 124)
    """24 slices of 96 × 96, for tests."""
    DEMO = _Figures(320, 200, 2000, 0.2, 0.05, 1240)
    """200 slices of 320 × 320, 0.4 mm."""
    FULL = _Figures(512, 400, 2800, 0.15, 0.04, 1984)
    """400 slices of 512 × 512, 0.25 × 0.25 × 0.2 mm."""

    @property
    def thickness(self) -> float:
        """Distance of the CBCT's slices, mm."""
        return _FIELD_OF_VIEW / self.value.slices

    @property
    def grid(self) -> Grid:
        """The lattice of the whole phantom, of which the CBCT shows the lowest slices."""
        return axial_grid(self.value.columns, round((HIGHEST - LOWEST) / self.thickness))
