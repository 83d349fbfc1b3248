"""Thirty-two teeth as solids: crown, roots, enamel, pulp, periodontal ligament and what dentists put into them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from worker.demo.arch import ARCH, Field, Grid, blend, ramp, rounded
from worker.demo.tooth_anatomy import LOWER, UPPER, Anatomy, Root

ENAMEL = 2650.0
DENTINE = 1520.0
PULP = 150.0
LIGAMENT = 90.0
LAMINA_DURA = 1150.0
GUTTA_PERCHA = 3000.0
COMPOSITE = 2900.0
METAL = 6500.0
ZIRCONIA = 4600.0

BITE_GAP = 1.3
"""Half the distance between the arches (mm): the patient bites on a rod."""


Point = tuple[float, float, float]
"""x, y, z in mm."""
Box = tuple[slice, slice, slice]
"""A part of a volume: levels, rows, columns."""


@dataclass(frozen=True)
class Tooth:
    """One tooth in its place.

    ``origin`` is the middle of the neck, at the cemento-enamel junction; ``axes`` are three unit vectors of the
    patient's system, mesial, buccal and occlusal.
    """

    fdi: int
    anatomy: Anatomy
    origin: Point
    axes: tuple[Point, Point, Point]
    filling: float | None = None
    """Grey value of an occlusal filling that reaches into one side."""
    crown_material: float | None = None
    """Grey value of an artificial crown."""
    root_filled: bool = False
    follicle: bool = False
    """The tooth has not erupted and lies in its follicle."""

    @property
    def position(self) -> int:
        return self.fdi % 10

    def extent(self, margin: float) -> tuple[Point, Point]:
        """Centre and half sizes (mm) of the upright box that holds the tooth and ``margin`` mm around it."""
        a = self.anatomy
        half = np.array([0.62 * a.width, 0.62 * a.depth, 0.5 * (a.crown + 1.08 * a.root)]) + margin
        axes = np.array(self.axes)
        x, y, z = np.array(self.origin) + (a.crown - 0.5 * (a.crown + a.root)) * axes[2]
        hx, hy, hz = half @ np.abs(axes)
        return (float(x), float(y), float(z)), (float(hx), float(hy), float(hz))

    @property
    def apex(self) -> Point:
        """The tip of the first root."""
        a = self.anatomy
        root = a.roots[0] if a.roots else Root(0.0, 0.0, 1.0, 1.0, 1.0)
        mesial, buccal, occlusal = root.mesial * 1.35, root.buccal * 1.35, -a.root * root.length
        u, v, w = (np.array(axis) for axis in self.axes)
        x, y, z = np.array(self.origin) + mesial * u + buccal * v + occlusal * w
        return float(x), float(y), float(z)


def quadrant_of(fdi: int) -> tuple[bool, float]:
    """Whether the tooth is an upper one, and on which side: +1 the patient's left (ISO 3950)."""
    quadrant = fdi // 10
    return quadrant in {1, 2}, 1.0 if quadrant in {2, 3} else -1.0


def arch_position(fdi: int) -> float:
    """Arc length (mm, signed) of the tooth's middle when every neighbour is there."""
    upper, side = quadrant_of(fdi)
    table, place = (UPPER, fdi % 10) if upper else (LOWER, fdi % 10)
    before = sum(a.width for a in table[: place - 1])
    stretch = 1.0 if upper else 1.035  # the lower teeth stand a little inside the curve that measures them
    return side * stretch * (before + table[place - 1].width / 2)


def erupted(fdi: int, rng: np.random.Generator, *, gap: float = BITE_GAP, spread: float = 1.0) -> Tooth:
    """The tooth in its usual place, with the small deviations of a real dentition drawn from ``rng``."""
    upper, side = quadrant_of(fdi)
    anatomy = (UPPER if upper else LOWER)[fdi % 10 - 1]
    size = float(1.0 + 0.02 * rng.standard_normal())
    anatomy = replace(
        anatomy, crown=anatomy.crown * size, root=anatomy.root * float(1.0 + 0.04 * rng.standard_normal())
    )
    s = arch_position(fdi)
    t = -0.6 if not upper and fdi % 10 > 3 else 0.0
    point = ARCH.at(s, t + 0.25 * spread * float(rng.standard_normal()))
    lean, tip, turn = np.radians(
        np.array([anatomy.lean, anatomy.tip, 0.0]) + np.array([2.0, 1.6, 3.5]) * spread * rng.standard_normal(3)
    )
    along, outward = np.array(point.along) * -side, np.array(point.outward)
    mesial = np.array([*(np.cos(turn) * along + np.sin(turn) * outward), 0.0])
    buccal = np.array([*(np.cos(turn) * outward - np.sin(turn) * along), 0.0])
    up = np.array([0.0, 0.0, -1.0 if upper else 1.0])
    occlusal = up + np.tan(lean) * buccal + np.tan(tip) * mesial
    occlusal /= np.linalg.norm(occlusal)
    mesial -= occlusal * (mesial @ occlusal)
    mesial /= np.linalg.norm(mesial)
    buccal -= occlusal * (buccal @ occlusal) + mesial * (buccal @ mesial)
    buccal /= np.linalg.norm(buccal)
    height = gap + anatomy.crown * float(np.cos(lean)) + 0.15 * float(rng.standard_normal())
    # The edges of the front teeth meet on the bite rod: their necks lie behind, by the lean of the crown.
    back = anatomy.crown * np.tan(lean) * 0.6 if fdi % 10 <= 3 else 0.0
    x, y = point.x - back * outward[0], point.y - back * outward[1]
    return Tooth(fdi, anatomy, (float(x), float(y), height if upper else -height), _axes(mesial, buccal, occlusal))


def _axes(*vectors: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> tuple[Point, Point, Point]:
    (a, b, c), (d, e, f), (g, h, i) = (tuple(float(v) for v in vector) for vector in vectors)
    return (a, b, c), (d, e, f), (g, h, i)


def impacted_third_molar(fdi: int, s: float, z: float, angle: float) -> Tooth:
    """A lower third molar that lies in the bone at (``s``, ``z``), tipped to the front by ``angle`` degrees."""
    _, side = quadrant_of(fdi)
    point = ARCH.at(side * s, 2.2)
    mesial = np.array([*(np.array(point.along) * -side), 0.0])
    buccal = np.array([*point.outward, 0.0])
    up = np.array([0.0, 0.0, 1.0])
    c, d = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return Tooth(
        fdi, LOWER[7], (point.x, point.y, z), _axes(c * mesial - d * up, buccal, c * up + d * mesial), follicle=True
    )


@dataclass(frozen=True)
class Form:
    """Signed distances (mm, positive inside) of a tooth's parts at sample points, and where the points are."""

    crown: Field
    root: Field
    enamel: Field
    pulp: Field
    u: Field
    v: Field
    w: Field


def form(tooth: Tooth, u: Field, v: Field, w: Field) -> Form:
    """The parts of a tooth at points given in its own axes (mesial, buccal, occlusal), mm from its neck."""
    a, place = tooth.anatomy, tooth.position
    q = np.clip(w / a.crown, 0.0, 1.0)
    swell = np.minimum(q / 0.6, 1.0)
    swell = swell * (2.0 - swell)
    half_u = 0.5 * (a.neck + (a.width - a.neck) * swell) * (1.0 - 0.12 * np.clip((q - 0.7) / 0.3, 0.0, 1.0) ** 2)
    if place <= 3:
        half_v = 0.5 * (a.neck_depth + (a.depth - a.neck_depth) * np.sin(np.pi * np.minimum(q * 2.0, 1.0)))
        half_v = half_v * (1.0 - 0.74 * np.clip((q - 0.15) / 0.85, 0.0, 1.0) ** 1.1)
        middle = 0.16 * a.depth * q**1.3  # the lip's side is flat, the tongue's side hollow
        top = a.crown - (0.5 * np.abs(u) * (place == 3) + 0.03 * u**2)
        power = 2.3
    else:
        half_v = (
            0.5
            * (a.neck_depth + (a.depth - a.neck_depth) * swell)
            * (1.0 - 0.32 * np.clip((q - 0.35) / 0.65, 0.0, 1.0))
        )
        middle = 0.0 * q
        # Cusps: a groove along the tooth, on molars one across it as well, and edges that fall off.
        rim = 2.0 * np.abs(u) / a.width
        across = 0.95 * np.exp(-((u / 1.5) ** 2)) if place >= 6 else 0.0 * u
        top = a.crown - 1.7 * np.exp(-((v / 1.6) ** 2)) * (1.0 - 0.4 * rim) - across - 0.03 * v**2
        top = top - (0.9 if place >= 6 else 1.5) * rim**3
        power = 2.9
    rho = _superellipse(u / half_u, (v - middle) / half_v, power)
    crown = np.minimum(rounded((1.0 - rho) * np.minimum(half_u, half_v + 0.6), top - w, 0.9), w + 0.4)
    root, canal = _roots(tooth, u, v, w)
    # The chamber: an egg between neck and cusps, with horns under them.
    horns = 0.22 * np.minimum(np.abs(u), 2.2) if place >= 4 else 0.0
    egg = (u / (0.21 * a.neck)) ** 2 + (v / (0.22 * a.neck_depth)) ** 2
    egg = egg + ((w - 0.02 * a.crown - horns) / (0.30 * a.crown + 0.05 * a.root)) ** 2
    chamber = (1.0 - np.sqrt(egg)) * np.float32(0.22 * a.neck)
    thickness = a.enamel * np.minimum(np.clip(w / (0.55 * a.crown), 0.0, 1.0) ** 0.6, 1.0)
    return Form(crown, root, np.minimum(crown, thickness - crown), np.maximum(chamber, canal), u, v, w)


def _superellipse(a: Field, b: Field, power: float) -> Field:
    if power < 2.5:  # a plain ellipse costs a third of two powers
        return np.sqrt(a * a + b * b)
    square, other = a * a, b * b
    result: Field = np.sqrt(np.sqrt(square * square + other * other))
    return result


def _roots(tooth: Tooth, u: Field, v: Field, w: Field) -> tuple[Field, Field]:
    a = tooth.anatomy
    r = np.clip(-w / a.root, 0.0, 1.6)
    taper = np.sqrt(np.clip(1.0 - np.minimum(r, 1.0) ** 2.4, 0.0, 1.0)) * (1.0 - 0.32 * np.minimum(r, 1.0))
    half_u, half_v = 0.5 * a.neck * taper + 0.01, 0.5 * a.neck_depth * taper + 0.01
    below = 0.4 - w
    whole = np.minimum((1.0 - np.sqrt((u / half_u) ** 2 + (v / half_v) ** 2)) * np.minimum(half_u, half_v), below)
    whole = np.minimum(whole, (1.0 - r) * a.root)
    if not a.roots:
        bend = u + 0.9 * r**3  # most apices turn a little to the back
        canal = 0.42 * (1.0 - 0.6 * r) - np.hypot(bend, v * 0.55)
        return whole, np.minimum(canal, np.minimum((0.97 - r) * a.root, 0.5 - w))
    fork = (0.36 - r) * a.root + 0.20 * (u**2 + 0.5 * v**2)  # the trunk ends in an arch between the roots
    solid = np.minimum(whole, fork)
    canals = np.full_like(u, -9.0)
    for branch in a.roots:
        part = np.clip(r / branch.length, 0.0, 1.6)
        spread = 0.62 + 1.3 * np.minimum(part, 1.0) - 0.55 * np.minimum(part, 1.0) ** 2
        du, dv = u - branch.mesial * spread, v - branch.buccal * spread
        slim = (
            np.sqrt(np.clip(1.0 - np.minimum(part, 1.0) ** 3.0, 0.0, 1.0)) * (1.0 - 0.38 * np.minimum(part, 1.0)) + 0.01
        )
        hu, hv = branch.half_mesiodistal * slim, branch.half_buccolingual * slim
        one = (1.0 - np.sqrt((du / hu) ** 2 + (dv / hv) ** 2)) * np.minimum(hu, hv)
        solid = np.maximum(solid, np.minimum(one, np.minimum(below, (1.0 - part) * a.root)))
        canal = 0.34 * (1.0 - 0.5 * part) - np.hypot(du, dv * (0.35 if branch.half_buccolingual > 2.6 else 0.8))
        canals = np.maximum(canals, np.minimum(canal, np.minimum((0.96 - part) * a.root, 1.0 - w)))
    return solid, canals


def local_box(grid: Grid, centre: Point, half: Point) -> Box | None:
    """The part of the grid (z, rows, columns) around a point, ``half`` mm to each side; None when there is none."""
    near = (np.abs(grid.x - centre[0]) < half[0]) & (np.abs(grid.y - centre[1]) < half[1])
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    levels = np.flatnonzero(np.abs(grid.z - centre[2]) < half[2])
    if not (rows.size and columns.size and levels.size):
        return None
    return (
        slice(int(levels[0]), int(levels[-1]) + 1),
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )


def local_axes(tooth: Tooth, grid: Grid, box: Box) -> Iterator[Field]:
    """The box's points in the tooth's axes: mesial, buccal, occlusal."""
    dx = grid.x[box[1], box[2]] - np.float32(tooth.origin[0])
    dy = grid.y[box[1], box[2]] - np.float32(tooth.origin[1])
    dz = (grid.z[box[0]] - np.float32(tooth.origin[2]))[:, None, None]
    for ex, ey, ez in tooth.axes:
        yield (np.float32(ex) * dx + np.float32(ey) * dy)[None] + np.float32(ez) * dz


def paint_tooth(values: "np.ndarray[tuple[int, ...], np.dtype[np.int16]]", grid: Grid, tooth: Tooth) -> None:
    """Set a tooth into a volume of shape (z, rows, columns), in place."""
    a = tooth.anatomy
    box = local_box(grid, *tooth.extent(2.4 if tooth.follicle else 1.2))
    if box is None:
        return
    part = form(tooth, *local_axes(tooth, grid, box))
    here = values[box].astype(np.float32)
    edge = max(grid.spacing, 0.25)
    bone = np.clip((here - 90.0) / 200.0, 0.0, 1.0)
    solid = np.maximum(part.crown, part.root)
    if tooth.follicle:
        shell = rounded(part.crown, part.w + 0.5, 1.5)
        blend(here, LAMINA_DURA, ramp(shell + 2.0, edge) * bone)
        blend(here, 60.0, ramp(shell + 1.4, edge))
    socket = ramp(-1.2 - part.w, 1.0) * bone
    blend(here, LAMINA_DURA, ramp(part.root + 0.85, edge) * socket)
    blend(here, LIGAMENT, ramp(part.root + 0.3, edge) * socket)
    blend(here, DENTINE, ramp(solid, edge))
    blend(here, ENAMEL, ramp(part.enamel, edge) * ramp(part.w, edge))
    blend(here, GUTTA_PERCHA if tooth.root_filled else PULP, ramp(part.pulp, edge))
    if tooth.filling is not None:
        hole = rounded(2.4 - np.hypot(part.u * 0.5 - 0.9, part.v * 0.8), part.w - (a.crown - 3.4), 1.2)
        blend(here, tooth.filling, ramp(np.minimum(hole, part.crown), edge))
    if tooth.crown_material is not None:
        cap = np.minimum(part.crown, np.maximum(1.5 - part.crown, part.w - a.crown + 2.5))
        blend(here, tooth.crown_material, ramp(cap, edge) * ramp(part.w - 0.4, edge))
    values[box] = np.clip(here, -1000.0, 9000.0).astype(np.int16)
