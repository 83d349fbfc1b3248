"""The dental arch as a coordinate system.

Everything in the phantom is placed along one curve. A point of an axial plane has, besides its patient coordinates
``x`` (mm, towards the patient's left) and ``y`` (mm, towards the back), an arc length ``s`` (mm from the midline,
positive on the patient's left) and a signed distance ``t`` (mm, positive on the cheek's side). ``z`` (mm) is zero at
the occlusal plane and grows upwards, so (x, y, z) are directions of DICOM's LPS system (PS3.3 §C.7.6.2.1.1).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]
"""A field of values in mm or grey values; its shape is given where it is used."""

FRONT_Y = 22.0  # the incisors' distance from the front of the field of view, mm
_HALF_WIDTH = 30.0  # half the arch's width at the third molars, mm
_DEPTH = 48.0  # from incisors to third molars, mm
_EXPONENT = 2.45
_REACH = 110.0  # arc length up to which the curve is tabulated: past the mandibular condyle, mm


@dataclass(frozen=True)
class ArchPoint:
    """A point on the curve with its unit vectors in the axial plane."""

    x: float
    y: float
    along: tuple[float, float]
    """Direction of growing ``s``."""
    outward: tuple[float, float]
    """Direction of growing ``t``."""


class Arch:
    """The curve ``y = front + depth · (|x| / half width)^2.45``, straight behind the third molars."""

    def __init__(self) -> None:
        x = np.linspace(0.0, _HALF_WIDTH, 2000)
        y = FRONT_Y + _DEPTH * (x / _HALF_WIDTH) ** _EXPONENT
        s = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        slope = np.array([x[-1] - x[-2], y[-1] - y[-2]])
        slope /= np.hypot(*slope)
        tail = np.linspace(0.1, _REACH - s[-1], 600)
        self._s = np.concatenate([s, s[-1] + tail])
        self._x = np.concatenate([x, x[-1] + tail * slope[0]])
        self._y = np.concatenate([y, y[-1] + tail * slope[1]])

    def at(self, s: float, t: float = 0.0) -> ArchPoint:
        """The point at arc length ``s`` and distance ``t`` (mm)."""
        side = -1.0 if s < 0 else 1.0
        step = 0.05
        reach = abs(s)
        x0, x1 = np.interp([max(reach - step, 0.0), reach + step], self._s, self._x)
        y0, y1 = np.interp([max(reach - step, 0.0), reach + step], self._s, self._y)
        length = float(np.hypot(x1 - x0, y1 - y0))
        tx, ty = float(x1 - x0) / length, float(y1 - y0) / length
        along = (tx, side * ty)  # going to the patient's left, the curve comes forward first and then goes back
        outward = (side * ty, -tx)
        return ArchPoint(
            x=side * float(np.interp(reach, self._s, self._x)) + t * outward[0],
            y=float(np.interp(reach, self._s, self._y)) + t * outward[1],
            along=along,
            outward=outward,
        )

    def coordinates(self, x: Field, y: Field) -> tuple[Field, Field]:
        """``(s, t)`` of points of an axial plane; both have the shape of ``x``."""
        samples = np.arange(0.0, _REACH, 0.5)
        cx, cy = np.interp(samples, self._s, self._x), np.interp(samples, self._s, self._y)
        px, py = np.abs(x).ravel().astype(np.float64), y.ravel().astype(np.float64)
        # |p - c|² without |p|²: one matrix product finds the nearest sample of every point.
        nearest = np.concatenate(
            [
                np.argmin(cx**2 + cy**2 - 2.0 * (np.outer(bx, cx) + np.outer(by, cy)), axis=1)
                for bx, by in zip(np.array_split(px, 16), np.array_split(py, 16), strict=True)
            ]
        )
        tangent_x, tangent_y = np.gradient(cx), np.gradient(cy)
        tangent_x[0], tangent_y[0] = 1.0, 0.0  # the curve is smooth across the midline
        length = np.hypot(tangent_x, tangent_y)
        tangent_x, tangent_y = tangent_x / length, tangent_y / length
        dx, dy = px - cx[nearest], py - cy[nearest]
        s = samples[nearest] + dx * tangent_x[nearest] + dy * tangent_y[nearest]
        t = dx * tangent_y[nearest] - dy * tangent_x[nearest]
        side = np.where(x.ravel() < 0, -1.0, 1.0)
        return (side * s).reshape(x.shape).astype(np.float32), t.reshape(x.shape).astype(np.float32)


ARCH = Arch()


@dataclass(frozen=True)
class Grid:
    """Sample points: an axial lattice ``x``, ``y`` of shape (rows, columns), repeated at every height of ``z``.

    The lattice need not be parallel to the axes: an intraoral image has its own, turned to the tooth.
    """

    x: Field
    y: Field
    z: Field
    spacing: float
    """Distance of neighbouring points (mm), over which edges are softened."""

    @cached_property
    def arch(self) -> tuple[Field, Field]:
        """``(s, t)`` of the lattice."""
        return ARCH.coordinates(self.x, self.y)


def ramp(distance: Field, width: float) -> Field:
    """An edge: 0 outside, 1 inside, linear over ``width`` mm around a signed distance of zero."""
    result: Field = np.clip(distance * np.float32(1.0 / width) + np.float32(0.5), 0.0, 1.0)
    return result


def rounded(one: Field, other: Field, radius: float) -> Field:
    """Where two shapes overlap, with the edge between them rounded to ``radius`` (mm)."""
    corner = radius - np.hypot(np.maximum(radius - one, 0.0), np.maximum(radius - other, 0.0))
    result: Field = np.where(np.minimum(one, other) < radius, corner, np.minimum(one, other))
    return result


def blend(values: Field, towards: float | Field, weight: Field) -> None:
    """Move ``values`` towards a grey value by ``weight`` (0..1), in place."""
    values += weight * (towards - values)
