"""A panoramic image out of the phantom's volume, as a rotating tube and its slit would draw it.

Along each normal of the arch the volume is averaged with a Gaussian focal trough of ±9 mm; what lies outside is lost in
blur. The result is stretched to the usual magnification of 1.25, so distances in it are not anatomical.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.demo.arch import ARCH, Field, Grid
from worker.demo.phantom import CENTRE_Y, WIDTH
from worker.demo.tissues import mandible_offset

MAGNIFICATION = 1.25
REACH = 97.0
"""Arc length to each side that is drawn, mm."""
_TROUGH = 9.0  # half its depth, mm
_SIGMA = 4.2  # mm


def panoramic(volume: NDArray[np.int16], grid: Grid, *, columns: int, seed: int) -> tuple[NDArray[np.uint16], float]:
    """Draw the panoramic view of a volume (z, rows, columns).

    Returns the image as 12-bit stored values, bright where dense, the patient's right on the left, and its pixel pitch
    at the detector in mm.
    """
    rays = _average(volume, grid, columns=max(columns // 2, 64))
    height = float(grid.z[-1] - grid.z[0])
    pitch = 2.0 * REACH * MAGNIFICATION / columns
    rows = round(height * MAGNIFICATION / pitch)
    rng = np.random.default_rng([seed, 17])
    drawn = _resize(_smile(rays, height, lift=float(rng.uniform(3.0, 9.0))), columns, rows)
    image = _develop(drawn, pitch)
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    grain[:, 1:] = 0.6 * grain[:, 1:] + 0.4 * grain[:, :-1]
    image = image + grain * np.float32(0.012)
    return np.clip(image * 4095.0, 0, 4095).astype(np.uint16), pitch


def _average(volume: NDArray[np.int16], grid: Grid, columns: int) -> Field:
    """Mean attenuation along each normal; shape (z from top to bottom, columns from right to left of the patient)."""
    s = np.linspace(-REACH, REACH, columns)
    middle = mandible_offset(s.astype(np.float32)) * 0.9
    depths = np.arange(-_TROUGH, _TROUGH + 0.1, max(grid.spacing * 1.5, 0.6))
    weights = np.exp(-0.5 * (depths / _SIGMA) ** 2)
    weights /= weights.sum()
    response = (np.arange(10_001, dtype=np.float32) / 1000.0) ** np.float32(1.15)  # by grey value + 1000
    total = np.zeros((len(grid.z), columns), dtype=np.float32)
    points = [ARCH.at(float(value)) for value in s]
    px, py = np.array([p.x for p in points]), np.array([p.y for p in points])
    nx, ny = np.array([p.outward[0] for p in points]), np.array([p.outward[1] for p in points])
    last = grid.x.shape[1] - 1.001
    for depth, weight in zip(depths, weights, strict=True):
        column = np.clip((px + (middle + depth) * nx + WIDTH / 2) / grid.spacing - 0.5, 0, last)
        row = np.clip((py + (middle + depth) * ny - CENTRE_Y + WIDTH / 2) / grid.spacing - 0.5, 0, last)
        c, r = column.astype(np.intp), row.astype(np.intp)
        fc, fr = (column - c).astype(np.float32), (row - r).astype(np.float32)
        for dr, dc, share in (
            (0, 0, (1 - fr) * (1 - fc)),
            (0, 1, (1 - fr) * fc),
            (1, 0, fr * (1 - fc)),
            (1, 1, fr * fc),
        ):
            total += response[volume[:, r + dr, c + dc].astype(np.int32) + 1000] * (share * np.float32(weight))
    return total[::-1]


def _smile(rays: Field, height: float, *, lift: float) -> Field:
    """Raise the sides by up to ``lift`` mm: the chin is held a little down, and the occlusal plane smiles."""
    rows, columns = rays.shape
    raised = lift * np.linspace(-1.0, 1.0, columns) ** 2 * (rows / height)
    source = np.clip(np.arange(rows)[:, None] + raised[None, :], 0, rows - 1.001)
    upper = source.astype(np.intp)
    part = (source - upper).astype(np.float32)
    result: Field = (
        np.take_along_axis(rays, upper, axis=0) * (1 - part) + np.take_along_axis(rays, upper + 1, axis=0) * part
    )
    return result


def _develop(drawn: Field, pitch: float) -> Field:
    """From attenuation to a picture in 0..1: even out the broad brightness, sharpen the edges, bend the tones."""
    broad = _blurred(drawn, 26.0 / pitch)
    flat = drawn - 0.62 * (broad - float(broad.mean()))
    sharp = flat + 0.9 * (flat - _blurred(flat, 1.6 / pitch))
    low, high = np.percentile(sharp, (1.5, 96.0))
    tone = np.clip((sharp - low) / (high - low), 0.0, None).astype(np.float32)
    shoulder = 1.0 - np.exp(-1.3 * tone ** np.float32(1.35))  # metal does not drive everything else into the dark
    picture: Field = np.float32(0.03) + np.float32(0.95) * shoulder
    return picture


def _blurred(image: Field, width: float) -> Field:
    """Blur over about ``width`` pixels, by way of a small image."""
    rows, columns = image.shape
    small = _resize(image, max(round(columns / width), 2), max(round(rows / width), 2))
    return _resize(small, columns, rows)


def _resize(image: Field, columns: int, rows: int) -> Field:
    picture = Image.fromarray(np.ascontiguousarray(image, dtype=np.float32))
    return np.asarray(picture.resize((columns, rows), Image.Resampling.BICUBIC, reducing_gap=None), dtype=np.float32)
