"""A clinical photograph: the front teeth with the lips held back, drawn from the phantom's own crowns.

For every crown and for the gums the first surface is found that a ray from the camera meets; colour, shade and gloss
come from that depth map.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from PIL import Image

from worker.demo import teeth
from worker.demo.arch import Field, Grid, ramp, rounded
from worker.demo.phantom import Finding, Mouth, dentition

WIDTH, HEIGHT = 62.0, 36.0
"""Size of the field before the camera, mm."""
_OVERBITE = -1.2  # half of what the upper incisors cover of the lower ones, mm
_OVERJET = 2.4  # how far they stand before them, mm
_FINEST = 0.25  # pitch of the raster on which surfaces are found, mm
_FAR = 75.0  # depth where nothing is met, mm from the front of the phantom

_ENAMEL = np.array([236.0, 226.0, 205.0], dtype=np.float32)
_NECK = np.array([222.0, 202.0, 166.0], dtype=np.float32)
_EDGE = np.array([208.0, 212.0, 214.0], dtype=np.float32)
_GUM = np.array([209.0, 124.0, 122.0], dtype=np.float32)
_MUCOSA = np.array([168.0, 66.0, 66.0], dtype=np.float32)
_THROAT = np.array([34.0, 12.0, 13.0], dtype=np.float32)


@dataclass(frozen=True)
class _Layer:
    """One tooth or gum as the camera sees it, on a coarse raster: rows and columns ``where`` of the whole."""

    where: tuple[slice, slice]
    outline: Field
    """Signed distance to the silhouette, mm, positive inside."""
    depth: Field
    """Distance of the surface, mm; smooth beyond the outline, so that it can be scaled up."""
    height: Field
    """0 at the neck to 1 at the edge of a crown."""
    gum: bool


def photograph(mouth: Mouth, *, columns: int) -> bytes:
    """A JPEG, ``columns`` pixels wide. Equal mouths give equal bytes."""
    pitch = max(_FINEST, WIDTH / columns)
    scale = max(round(columns * pitch / WIDTH), 1)
    rows, columns = round(HEIGHT / pitch) * scale, round(WIDTH / pitch) * scale
    rng = np.random.default_rng([mouth.seed, 23])
    mottle = _scale(rng.standard_normal((rows // 12 + 1, columns // 12 + 1)).astype(np.float32), columns, rows)
    colour = np.broadcast_to(_THROAT, (rows, columns, 3)).astype(np.float32)
    depth = np.full((rows, columns), _FAR, dtype=np.float32)
    for layer in _layers(mouth, pitch):
        _paint(layer, pitch, scale, mottle=mottle, colour=colour, depth=depth)
    colour = _framed(colour, mottle, rows, columns)
    colour += rng.standard_normal(colour.shape, dtype=np.float32) * np.float32(1.6)
    out = BytesIO()
    picture = Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8))
    picture.save(out, "JPEG", quality=90, subsampling=0, comment=b"Synthetic data; not a patient")
    return out.getvalue()


def _layers(mouth: Mouth, pitch: float) -> Iterator[_Layer]:
    """From back to front: each jaw's teeth and then its gum, the lower jaw first."""
    x = np.arange(round(WIDTH / pitch), dtype=np.float32) * np.float32(pitch) + np.float32((pitch - WIDTH) / 2)
    z = np.float32((HEIGHT - pitch) / 2) - np.arange(round(HEIGHT / pitch), dtype=np.float32) * np.float32(pitch)
    y = np.arange(13.0, 60.0, max(0.4, pitch), dtype=np.float32)
    lattice_x, lattice_y = np.meshgrid(x, y)
    grid = Grid(lattice_x, lattice_y, z, pitch)
    mouth = replace(mouth, findings=mouth.findings - {Finding.IMPLANT})  # an implant's crown looks like a tooth
    shown = [_in_bite(t) for t in dentition(mouth, gap=_OVERBITE).teeth if t.position <= 7 and not t.follicle]
    for upper in (False, True):
        jaw = [t for t in shown if teeth.quadrant_of(t.fdi)[0] is upper]
        for tooth in sorted(jaw, key=lambda t: -t.origin[1]):
            box = teeth.local_box(grid, *tooth.extent(0.6))
            if box is None:
                continue
            part = teeth.form(tooth, *teeth.local_axes(tooth, grid, box))
            solid = np.maximum(part.crown, np.minimum(part.root, part.w + 3.0))
            height = np.clip(part.w[:, 0] / tooth.anatomy.crown, 0.0, 1.0)
            yield _seen(solid, y[box[1]], (box[0], box[2]), height, gum=False)
        gum = _gums(grid, jaw, upper)
        everywhere = (slice(0, len(z)), slice(0, len(x)))
        yield _seen(gum, y, everywhere, np.zeros((len(z), len(x)), dtype=np.float32), gum=True)


def _in_bite(tooth: teeth.Tooth) -> teeth.Tooth:
    """The lower arch stands behind the upper one by the overjet."""
    x, y, z = tooth.origin
    return tooth if teeth.quadrant_of(tooth.fdi)[0] else replace(tooth, origin=(x, y + _OVERJET, z))


def _seen(solid: Field, y: Field, where: tuple[slice, slice], height: Field, *, gum: bool) -> _Layer:
    """Look at a solid (z, depth, x; signed distance in mm) from the front."""
    inside = solid > 0
    nearest = solid.argmax(axis=1)
    first = np.where(inside.any(axis=1), inside.argmax(axis=1), nearest)
    levels, columns = np.indices(first.shape)
    here = solid[levels, first, columns]
    before = solid[levels, np.maximum(first - 1, 0), columns]
    part = np.where((first > 0) & (here > 0), here / np.maximum(here - before, 1e-3), 0.0)
    depth = (y[first] - part * (y[1] - y[0])).astype(np.float32)
    return _Layer(where, solid[levels, nearest, columns], depth, height, gum)


def _gums(grid: Grid, jaw: list[teeth.Tooth], upper: bool) -> Field:
    """The gum of one jaw: scalloped around each neck, with a papilla between two teeth and the roots' relief."""
    s, t = grid.arch
    sign = 1.0 if upper else -1.0
    if not upper:
        t = t + np.float32(_OVERJET) * ramp(38.0 - np.abs(s), 30.0)
    row = sorted(jaw, key=lambda tooth: teeth.arch_position(tooth.fdi))
    centres = np.array([teeth.arch_position(tooth.fdi) for tooth in row])
    between = np.concatenate([[centres[0] - 5.0], (centres[1:] + centres[:-1]) / 2, [centres[-1] + 5.0]])
    own = np.clip(np.searchsorted(between, s) - 1, 0, len(row) - 1)
    reach = np.where(s < centres[own], centres[own] - between[own], between[own + 1] - centres[own])
    u = np.clip((s - centres[own]) / reach, -1.2, 1.2)
    neck = np.interp(s, centres, [sign * tooth.origin[2] for tooth in row])
    girth = np.interp(s, centres, [0.5 * tooth.anatomy.neck_depth for tooth in row])
    lean = np.interp(s, centres, [_OVERJET * 0.5 if tooth.position <= 3 and upper else 0.0 for tooth in row])
    margin = (neck - 0.6 - 3.6 * np.abs(u) ** 2.4).astype(np.float32)
    above = sign * grid.z[:, None, None] - margin[None]
    half = (girth + 0.2 + 0.3 * np.cos(np.pi * u))[None] + 0.10 * np.clip(above, 0.0, 12.0)
    return rounded(half - np.abs(t + lean)[None], above, 1.3).astype(np.float32)


def _paint(layer: _Layer, pitch: float, scale: int, *, mottle: Field, colour: Field, depth: Field) -> None:
    """Put one layer over the picture, in place."""
    rows, columns = (slice(part.start * scale, part.stop * scale) for part in layer.where)
    size = columns.stop - columns.start, rows.stop - rows.start
    fine = pitch / scale
    far = _scale(_calm(layer.depth), *size)
    outline = _scale(layer.outline, *size)
    alpha = np.clip(outline / (1.5 * fine) + 0.5, 0.0, 1.0) * (far < depth[rows, columns] + 0.6)
    # A soft shadow falls on what lies behind the edge.
    shadow = np.exp(-np.clip(-outline, 0.0, 3.0) / 0.45) * np.clip((depth[rows, columns] - far) / 1.5, 0.0, 1.0)
    colour[rows, columns] *= (1.0 - 0.5 * shadow)[..., None]
    rise, run = np.gradient(far, fine)
    length = np.sqrt(run**2 + rise**2 + 1.0)
    light = (0.28 + 0.74 * length**-0.9) * np.exp(-np.clip(far - 22.0, 0.0, 60.0) / 42.0)
    light = light * (1.0 - 0.35 * np.exp(-np.clip(outline, 0.0, 5.0) / 0.35))
    body = _flesh(rows, mottle[rows, columns], fine) if layer.gum else _crown(_scale(layer.height, *size))
    gloss = sum(
        np.exp(-((run / length - x) ** 2 + (rise / length - y) ** 2) / 0.012) for x, y in ((-0.2, 0.16), (0.2, 0.12))
    )
    gloss = gloss * (34.0 if layer.gum else 78.0) * np.clip(outline / 0.5, 0.0, 1.0)
    lit = body * light[..., None] + gloss[..., None]
    colour[rows, columns] += alpha[..., None] * (lit - colour[rows, columns])
    depth[rows, columns] = np.where(alpha > 0.5, far, depth[rows, columns])


def _crown(height: Field) -> Field:
    body = _mix(_ENAMEL, _NECK, np.clip(1.0 - height / 0.55, 0.0, 1.0) * 0.9)
    return _mix(body, _EDGE, np.clip((height - 0.75) / 0.25, 0.0, 1.0) * 0.55)


def _flesh(rows: slice, mottle: Field, fine: float) -> Field:
    """Firm pink gum near the teeth, darker and loose mucosa away from them."""
    mm = np.abs(HEIGHT / 2 - np.arange(rows.start, rows.stop) * fine)
    away = (np.clip((mm - 11.5) / 4.5, 0.0, 1.0)[:, None] + 0.0 * mottle).astype(np.float32)
    return _mix(_GUM, _MUCOSA, away) * (1.0 + 0.03 * mottle)[..., None]


def _framed(colour: Field, mottle: Field, rows: int, columns: int) -> Field:
    """The lips, held back by a retractor, around an oval opening; and the lens's fall-off."""
    y, x = np.meshgrid(np.linspace(1.0, -1.0, rows), np.linspace(-1.0, 1.0, columns), indexing="ij")
    oval = (np.abs(x / 0.99) ** 3.2 + np.abs(y / 0.97) ** 3.0).astype(np.float32)
    lip = (
        np.array([176.0, 88.0, 84.0], dtype=np.float32)
        * (1.0 + 0.05 * mottle + 0.16 * np.clip(oval - 1.1, 0.0, 1.0))[..., None]
    )
    shadow = 1.0 - 0.75 * np.exp(-(((oval - 0.98) / 0.16) ** 2))
    edge = np.clip((oval - 0.98) / 0.07, 0.0, 1.0)[..., None]
    result: Field = (colour * (1.0 - edge) + lip * edge) * (shadow * (1.0 - 0.10 * (x**2 + y**2)))[..., None]
    return result.astype(np.float32)


def _mix(one: Field, other: Field, share: Field) -> Field:
    return one + share[..., None] * (other - one)


def _calm(depth: Field) -> Field:
    """Round away the steps of the lattice."""
    for _ in range(2):
        padded = np.pad(depth, 1, mode="edge")
        around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
        depth = 0.125 * around + 0.5 * depth
    return depth


def _scale(image: Field, columns: int, rows: int) -> Field:
    picture = Image.fromarray(np.ascontiguousarray(image, dtype=np.float32))
    return np.asarray(picture.resize((columns, rows), Image.Resampling.BICUBIC), dtype=np.float32)
