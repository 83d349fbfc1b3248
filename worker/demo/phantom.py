"""The phantom: the jaws once, then one patient's teeth and findings in them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from worker.demo import teeth
from worker.demo.arch import ARCH, Field, Grid, blend, ramp
from worker.demo.tissues import Grain, Tissues

LOWEST, HIGHEST = -44.0, 46.0
"""Extent of the phantom in mm above the occlusal plane: below the chin to the upper part of the sinuses."""

WIDTH = 128.0
CENTRE_Y = 62.0
"""The axial lattice is ``WIDTH`` mm square around (0, ``CENTRE_Y``)."""


class Finding(StrEnum):
    """What makes one patient's images differ from the next one's."""

    IMPLANT = "implant"
    """Tooth 46 is replaced by an implant."""
    EDENTULOUS_GAP = "edentulous_gap"
    """Tooth 25 is missing and its ridge is low: the site of a planned implant under the sinus."""
    ENDODONTIC = "endodontic"
    """Tooth 36 is root-treated and has an apical lesion at its mesial root."""
    IMPACTION = "impaction"
    """Tooth 38 lies impacted across the mandibular canal."""


@dataclass(frozen=True)
class Mouth:
    """One patient's dentition. Equal mouths give equal images, to the byte."""

    seed: int = 1
    findings: frozenset[Finding] = frozenset()
    absent: frozenset[int] = frozenset()
    """Teeth (ISO 3950) that are not there for other reasons."""
    filled: frozenset[int] = frozenset({16, 37})
    """Teeth with a filling."""
    mirrored: bool = False
    """Jaws the other way round, so that two patients' asymmetries differ."""


@dataclass(frozen=True)
class Metal:
    """Where metal throws streaks: a centre and a range of heights, mm."""

    x: float
    y: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Dentition:
    """A mouth worked out: its teeth, and what else is to be painted."""

    teeth: tuple[teeth.Tooth, ...]
    implants: tuple[tuple[float, float, float], ...] = ()
    """Platform of each implant (x, y, z), mm; its axis is vertical."""
    lesions: tuple[tuple[float, float, float, float], ...] = ()
    """Apical lesions: centre and radius, mm."""
    low_ridges: tuple[tuple[float, bool], ...] = ()
    """Arc length and jaw (True: upper) of healed gaps."""
    metal: tuple[Metal, ...] = field(default=())


def dentition(mouth: Mouth, *, gap: float = teeth.BITE_GAP) -> Dentition:
    """The teeth of a mouth. ``gap`` is half the distance between the arches, mm."""
    findings = mouth.findings
    present: list[teeth.Tooth] = []
    implants: list[tuple[float, float, float]] = []
    lesions: list[tuple[float, float, float, float]] = []
    low: list[tuple[float, bool]] = []
    metal: list[Metal] = []
    for fdi in (quadrant * 10 + place for quadrant in (1, 2, 3, 4) for place in range(1, 9)):
        # A generator for each tooth, so that one more finding leaves the other teeth as they were.
        tooth = teeth.erupted(fdi, np.random.default_rng([mouth.seed, fdi]), gap=gap)
        if fdi == 25 and Finding.EDENTULOUS_GAP in findings:
            low.append((teeth.arch_position(fdi), True))
            continue
        if fdi == 38 and Finding.IMPACTION in findings:
            present.append(teeth.impacted_third_molar(fdi, 64.0, -15.0, 62.0))
            continue
        if fdi in mouth.absent:
            continue
        if fdi == 46 and Finding.IMPLANT in findings:
            place = ARCH.at(teeth.arch_position(fdi), 0.2)
            implants.append((place.x, place.y, -10.0))
            metal.append(Metal(place.x, place.y, -20.0, -1.5))
            continue
        if fdi == 36 and Finding.ENDODONTIC in findings:
            tooth = replace(tooth, root_filled=True, crown_material=teeth.ZIRCONIA)
            x, y, z = tooth.apex
            lesions.append((x, y, z - 0.8, 4.2))
            metal.append(Metal(tooth.origin[0], tooth.origin[1], -9.0, -1.5))
        elif fdi in mouth.filled:
            tooth = replace(tooth, filling=teeth.METAL if fdi % 10 >= 6 else teeth.COMPOSITE)
            height = tooth.origin[2] + tooth.anatomy.crown * tooth.axes[2][2]
            metal.append(Metal(tooth.origin[0], tooth.origin[1], height - 2.5, height + 2.5))
        present.append(tooth)
    return Dentition(tuple(present), tuple(implants), tuple(lesions), tuple(low), tuple(metal))


def axial_grid(columns: int, slices: int) -> Grid:
    """The lattice of a volume with ``columns``² pixels a plane and ``slices`` planes over the phantom's height."""
    pitch = WIDTH / columns
    line = (np.arange(columns, dtype=np.float32) - (columns - 1) / 2) * np.float32(pitch)
    x, y = np.meshgrid(line, line + np.float32(CENTRE_Y))
    thickness = (HIGHEST - LOWEST) / slices
    z = (LOWEST + (np.arange(slices) + 0.5) * thickness).astype(np.float32)
    return Grid(x.astype(np.float32), y.astype(np.float32), z, pitch)


def jaws(grid: Grid, grain: Grain, progress: Callable[[float], None] = lambda part: None) -> NDArray[np.int16]:
    """Everything but the teeth: grey values of shape (z, rows, columns). The expensive part, alike for all patients."""
    tissues = Tissues(grid, grain)
    volume = np.empty((len(grid.z), *grid.x.shape), dtype=np.int16)
    for k, z in enumerate(grid.z):
        volume[k] = tissues.plane(float(z))
        progress((k + 1) / len(grid.z))
    return volume


def populate(base: NDArray[np.int16], grid: Grid, mouth: Dentition) -> NDArray[np.int16]:
    """A copy of the jaws with a patient's teeth, implants and lesions in it."""
    volume = np.ascontiguousarray(base).copy()
    for s, upper in mouth.low_ridges:
        _lower_ridge(volume, grid, s, upper)
    for tooth in mouth.teeth:
        teeth.paint_tooth(volume, grid, tooth)
    for x, y, z, radius in mouth.lesions:
        _paint_lesion(volume, grid, (x, y, z), radius)
    for platform in mouth.implants:
        _paint_implant(volume, grid, platform)
    return volume


def _paint_lesion(volume: NDArray[np.int16], grid: Grid, centre: tuple[float, float, float], radius: float) -> None:
    box = teeth.local_box(grid, centre, (radius + 2.0,) * 3)
    if box is None:
        return
    dx, dy, dz = _offsets(grid, box, centre)
    depth = radius + 0.35 * np.sin(dx * 1.9) + 0.3 * np.sin(dz * 2.1 + dy) - np.sqrt(dx**2 + dy**2 + (0.9 * dz) ** 2)
    here = volume[box].astype(np.float32)
    edge = max(grid.spacing, 0.5)
    bone = np.clip((here - 90.0) / 200.0, 0.0, 1.0) * np.clip((1400.0 - here) / 100.0, 0.0, 1.0)
    blend(here, 900.0, ramp(depth + 0.7, edge) * bone * np.float32(0.7))
    blend(here, 75.0, ramp(depth, edge) * bone)
    volume[box] = here.astype(np.int16)


def _paint_implant(volume: NDArray[np.int16], grid: Grid, platform: tuple[float, float, float]) -> None:
    box = teeth.local_box(grid, platform, (7.0, 7.0, 12.5))
    if box is None:
        return
    dx, dy, dz = _offsets(grid, box, platform)
    radial = np.hypot(dx, dy)
    thread = 0.18 * np.sin(dz * (2.0 * np.pi / 0.9))
    screw = np.minimum(2.05 + thread - radial + np.minimum(dz + 8.0, 0.0) * 0.25, np.minimum(dz + 10.5, -dz))
    abutment = np.minimum(1.7 - 0.12 * dz - radial, np.minimum(dz + 0.1, 6.2 - dz))
    rim = 3.0 + 2.2 * np.clip((dz - 1.0) / 4.0, 0.0, 1.0)
    crown = np.minimum(
        rim - np.sqrt(np.sqrt(dx**4 + dy**4)), np.minimum(dz - 1.2, 8.4 - 0.9 * np.exp(-(radial**2) / 3.0) - dz)
    )
    here = volume[box].astype(np.float32)
    edge = max(grid.spacing, 0.25)
    blend(here, teeth.ZIRCONIA, ramp(crown, edge))
    blend(here, teeth.METAL, ramp(np.maximum(screw, abutment), edge))
    volume[box] = here.astype(np.int16)


def _lower_ridge(volume: NDArray[np.int16], grid: Grid, s: float, upper: bool) -> None:
    crest = 11.5 if upper else -10.5
    middle = ARCH.at(s)
    box = teeth.local_box(grid, (middle.x, middle.y, crest), (9.0, 9.0, 9.0))
    if box is None:
        return
    arc, across = (part[box[1], box[2]][None] for part in grid.arch)
    depth = (crest + 2.2 - grid.z[box[0]])[:, None, None] * (1.0 if upper else -1.0)
    gone = np.minimum(4.6 - np.abs(arc - s), depth - 0.12 * (arc - s) ** 2)
    gone = np.maximum(
        gone, np.minimum(np.minimum(np.abs(across) - 3.4, 4.0 - np.abs(arc - s)), 0.4 * depth + 1.2)
    )  # the ridge narrows, too
    here = volume[box].astype(np.float32)
    inside = ramp(gone.astype(np.float32), max(grid.spacing, 0.5)) * np.clip((here - 60.0) / 60.0, 0.0, 1.0)
    blend(here, 60.0, inside.astype(np.float32))
    volume[box] = here.astype(np.int16)


def _offsets(
    grid: Grid, box: tuple[slice, slice, slice], centre: tuple[float, float, float]
) -> tuple[Field, Field, Field]:
    dx = (grid.x[box[1], box[2]] - np.float32(centre[0]))[None]
    dy = (grid.y[box[1], box[2]] - np.float32(centre[1]))[None]
    dz = (grid.z[box[0]] - np.float32(centre[2]))[:, None, None]
    return dx, dy, dz
