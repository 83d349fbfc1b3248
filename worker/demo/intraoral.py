"""Intraoral images: a film behind a few teeth, drawn by projecting the phantom locally at a finer resolution.

The phantom is a set of functions, so a film gets a lattice of its own, turned to the tooth it is centred on and far
finer than the volume's voxels. The tube stands at a right angle to the film (paralleling technique).
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.demo import teeth
from worker.demo.arch import ARCH, Field, Grid
from worker.demo.phantom import Dentition, Finding, Mouth, dentition, jaws, populate
from worker.demo.tissues import Grain

_DEPTH = 26.0  # mm of tissue along the beam that are drawn
_DEPTH_STEP = 0.4
_EDGE = 0.7  # details up to this size are sharpened, mm
_MARGIN = 3.5  # of film beyond the cusps, mm
_BITEWING_GAP = 0.5  # half the distance between the arches on a bite tab, mm


class Projection(StrEnum):
    """The kind of intraoral image."""

    PERIAPICAL = "periapical"
    BITEWING = "bitewing"


@dataclass(frozen=True)
class View:
    """One film: what it is centred on, its size in mm."""

    projection: Projection
    tooth: int
    """ISO 3950 number of the tooth in the film's middle."""
    width: float = 41.0
    height: float = 31.0

    @property
    def upper(self) -> bool:
        return teeth.quadrant_of(self.tooth)[0]

    @property
    def laterality(self) -> str:
        """ImageLaterality of PS3.3 §C.8.11.2: R, L, or B for a film across the midline."""
        if self.tooth % 10 <= 2:
            return "B"
        return "L" if teeth.quadrant_of(self.tooth)[1] > 0 else "R"

    @property
    def orientation(self) -> tuple[str, str]:
        """PatientOrientation: where the rows and the columns run."""
        return {"B": "L", "L": "P", "R": "A"}[self.laterality], "F"


@dataclass(frozen=True)
class Film:
    """A developed image: 12-bit values, bright where dense, and the teeth to be seen on it."""

    view: View
    pixels: NDArray[np.uint16]
    pitch: float
    """Pixel pitch in mm."""
    teeth: tuple[int, ...]


def views(mouth: Mouth) -> tuple[View, View, View]:
    """Two periapical images and a bitewing, with the mouth's finding in the first."""
    centre = 36
    for finding, tooth in (
        (Finding.ENDODONTIC, 36),
        (Finding.IMPLANT, 46),
        (Finding.EDENTULOUS_GAP, 25),
        (Finding.IMPACTION, 37),
    ):
        if finding in mouth.findings:
            centre = tooth
            break
    return (
        View(Projection.PERIAPICAL, centre),
        View(Projection.PERIAPICAL, 11, width=31.0, height=41.0),
        View(Projection.BITEWING, 15),
    )


def expose(view: View, mouth: Mouth, grain: Grain, *, sampling: float, pitch: float) -> Film:
    """Draw one film. ``sampling`` is the lattice's resolution in mm, ``pitch`` the pixel pitch of the result."""
    bitewing = view.projection is Projection.BITEWING
    people = dentition(mouth, gap=_BITEWING_GAP if bitewing else teeth.BITE_GAP)
    if not bitewing:  # the film's holder keeps the other jaw away
        people = replace(people, teeth=tuple(t for t in people.teeth if teeth.quadrant_of(t.fdi)[0] is view.upper))
    grid = _lattice(view, sampling)
    volume = populate(jaws(replace(grid, x=-grid.x) if mouth.mirrored else grid, grain), grid, people)
    dense = np.clip(volume.astype(np.float32) / 1000.0 + 1.0, 0.0, None) ** np.float32(1.12)
    path = dense.sum(axis=1)[::-1] * np.float32(
        _DEPTH_STEP
    )  # rows from top to bottom, columns towards the patient's left
    columns, rows = round(view.width / pitch), round(view.height / pitch)
    picture = Image.fromarray(np.ascontiguousarray(path)).resize((columns, rows), Image.Resampling.BICUBIC)
    image = _develop(np.asarray(picture, dtype=np.float32), pitch)
    rng = np.random.default_rng([mouth.seed, 19, view.tooth])
    image = image + rng.standard_normal(image.shape, dtype=np.float32) * np.float32(0.011)
    stored = np.clip(image * 4095.0, 0, 4095).astype(np.uint16)
    return Film(view, stored, pitch, _seen(view, people))


def _lattice(view: View, sampling: float) -> Grid:
    centre = ARCH.at(teeth.arch_position(view.tooth))
    if view.tooth % 10 == 1:
        centre = ARCH.at(0.0)
    along = np.arange(-view.width / 2, view.width / 2, sampling, dtype=np.float32)
    depth = np.arange(-_DEPTH / 2, _DEPTH / 2, _DEPTH_STEP, dtype=np.float32)
    a, d = np.meshgrid(along, depth)
    x = centre.x + a * centre.along[0] + d * centre.outward[0]
    y = centre.y + a * centre.along[1] + d * centre.outward[1]
    middle = (
        0.0 if view.projection is Projection.BITEWING else (1.0 if view.upper else -1.0) * (view.height / 2 - _MARGIN)
    )
    z = np.arange(middle - view.height / 2, middle + view.height / 2, sampling, dtype=np.float32)
    return Grid(x.astype(np.float32), y.astype(np.float32), z, max(sampling, _DEPTH_STEP))


def _develop(path: Field, pitch: float) -> Field:
    """Radiographic density: the thicker and denser the path, the brighter, with the film's shoulder."""
    rows, columns = path.shape
    coarse = max(round(columns * pitch / _EDGE), 2), max(round(rows * pitch / _EDGE), 2)
    smooth = (
        Image.fromarray(path).resize(coarse, Image.Resampling.BOX).resize((columns, rows), Image.Resampling.BICUBIC)
    )
    path = path + np.float32(1.1) * (path - np.asarray(smooth, dtype=np.float32))
    low, high = 0.84 * _DEPTH, float(np.percentile(path, 93.0))  # soft tissue alone stays dark grey
    tone = np.clip((path - low) / (high - low), 0.0, None).astype(np.float32)
    density: Field = np.float32(0.05) + np.float32(0.92) * (1.0 - np.exp(-1.5 * tone ** np.float32(1.1)))
    return density


def _seen(view: View, people: Dentition) -> tuple[int, ...]:
    """ISO 3950 numbers of the teeth whose middle is on the film."""
    centre = 0.0 if view.tooth % 10 == 1 else teeth.arch_position(view.tooth)
    shown = []
    for tooth in people.teeth:
        if abs(teeth.arch_position(tooth.fdi) - centre) < view.width / 2 - 2.0:
            shown.append(tooth.fdi)
    return tuple(shown)
