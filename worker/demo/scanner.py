"""What a cone-beam scanner makes of the phantom."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from worker.demo.arch import Field, Grid, ramp
from worker.demo.phantom import CENTRE_Y, WIDTH, Metal

STORED_OFFSET = 1000
"""Stored value = grey value + offset, so that air is zero."""
STORED_MAXIMUM = 4095  # 12 bits


_BLUR = 0.4  # mm


class Scanner:
    """What a cone-beam scanner adds: blur, streaks from metal, noise, faint rings, a round field of view."""

    def __init__(self, grid: Grid, *, seed: int, noise: float = 48.0) -> None:
        self._grid = grid
        self._seed = seed
        self._noise = noise
        radius = np.hypot(grid.x, grid.y - np.float32(CENTRE_Y))
        self._seen = radius < WIDTH / 2 - 0.4
        rng = np.random.default_rng([seed, 7])
        ring = 7.0 * rng.standard_normal((grid.x.shape[0],), dtype=np.float32)
        self._rings = ring[np.minimum((radius / grid.spacing).astype(np.intp), len(ring) - 1)]

    def slices(self, volume: NDArray[np.int16], metal: tuple[Metal, ...], count: int) -> Iterator[NDArray[np.uint16]]:
        """The lowest ``count`` planes as stored values (12 bits), from the chin upwards."""
        streaks = [(m, self._streaks(m, index)) for index, m in enumerate(metal)]
        top = len(volume) - 1
        # The blur is of the detector and the focus, about 0.4 mm: coarse voxels have less of it.
        within = 0.5 * min(1.0, _BLUR / self._grid.spacing)
        across = np.float32(0.5 * min(1.0, _BLUR / float(self._grid.z[1] - self._grid.z[0])))
        for k in range(count):
            plane = volume[k].astype(np.float32)
            beside = 0.5 * (volume[max(k - 1, 0)].astype(np.float32) + volume[min(k + 1, top)])
            plane = _smooth(plane + across * (beside - plane), within)
            z = float(self._grid.z[k])
            for source, pattern in streaks:
                strength = np.clip(min(z - source.lowest, source.highest - z) / 1.5 + 0.6, 0.0, 1.0)
                if strength > 0:
                    plane += pattern * np.float32(strength)
            rng = np.random.default_rng([self._seed, 11, k])
            plane += _smooth(rng.standard_normal(plane.shape, dtype=np.float32), 0.5) * np.float32(self._noise * 1.6)
            plane += self._rings
            stored = np.clip(np.round(plane) + STORED_OFFSET, 0, STORED_MAXIMUM)
            yield np.where(self._seen, stored, 0).astype(np.uint16)

    def _streaks(self, metal: Metal, index: int) -> Field:
        rng = np.random.default_rng([self._seed, 13, index])
        dx, dy = self._grid.x - np.float32(metal.x), self._grid.y - np.float32(metal.y)
        angle, radius = np.arctan2(dy, dx), np.hypot(dx, dy)
        rays = np.zeros_like(radius)
        for order in (2, 3, 5, 8, 11, 14):
            rays += np.cos(order * angle + np.float32(rng.uniform(0, 6.28))) * np.float32(rng.uniform(0.5, 1.0))
        result: Field = rays * np.abs(rays) * (150.0 * np.exp(-radius / 17.0) * ramp(radius - 2.5, 3.0))
        return result.astype(np.float32)


def _smooth(plane: Field, share: float) -> Field:
    """Mix ``share`` of each pixel's neighbours in, along rows and columns; the border keeps its values.

    A share of one half is the binomial kernel (1 2 1)/4.
    """
    side, own = np.float32(share / 2), np.float32(1.0 - share)
    rows = plane.copy()
    rows[1:-1] = side * (plane[:-2] + plane[2:]) + own * plane[1:-1]
    both = rows.copy()
    both[:, 1:-1] = side * (rows[:, :-2] + rows[:, 2:]) + own * rows[:, 1:-1]
    return both
