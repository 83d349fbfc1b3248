"""Jaws, sinuses, airway and soft tissue of the phantom: everything but the teeth.

Grey values follow the habit of CBCT volumes, air -1000 and water about 0, but they are not Hounsfield units.
Shapes are signed distances in mm (positive inside), described along the arch (``s``, ``t``) or in the patient's axes.
"""

from collections.abc import Callable

import numpy as np

from worker.demo.arch import Field, Grid, blend, ramp, rounded

AIR = -1000.0
FAT = -140.0
SOFT = 55.0
MUSCLE = 85.0
MARROW = 330.0
CORTEX = 1280.0
CANAL = 130.0

_Table = tuple[tuple[float, ...], tuple[float, ...]]

# Upper and lower border of the mandible in mm above the occlusal plane, by arc length: chin, mental region, molars,
# coronoid process, sigmoid notch, condyle; below: symphysis, body, angle, posterior border of the ramus.
_TOP = (
    (0, 18, 40, 56, 62, 66, 69, 72, 74.5, 78, 82, 85, 88, 94, 97),
    (-11.6, -13.2, -10.4, -9.8, -7.5, 2, 15, 25, 27, 18, 15, 18, 31, 35, 25),
)
_BOTTOM = ((0, 8, 22, 45, 64, 76, 84, 90, 94, 97, 98.5), (-40, -40.3, -39, -37, -34.5, -33, -29, -20, -6, 12, 30))
_HALF_THICKNESS = ((0, 20, 40, 58, 66, 80, 87, 93, 110), (5.6, 5.4, 6.6, 7.0, 5.4, 3.6, 4.2, 5.0, 5.0))
_OFFSET = ((0, 40, 58, 75, 95, 110), (0.0, 0.3, 2.6, 5.5, 8.0, 9.0))

# The mandibular canal, from the mental foramen to the mandibular foramen.
_CANAL_Z = ((22, 26, 31, 40, 50, 60, 68, 74, 80), (-22.5, -24.5, -26, -27, -26, -22.5, -16.5, -9, 0))
_CANAL_T = ((22, 26, 31, 50, 68, 80), (5.5, 3.0, 0.5, -0.6, 2.0, 2.6))
_CANAL_REACH = (25.5, 80.0)


def mandible_offset(s: Field) -> Field:
    """How far the mandible's middle lies outside the arch curve (mm) at arc length ``s``."""
    return np.interp(np.abs(s), *_OFFSET).astype(np.float32)


def canal_height(s: float) -> float:
    """Height of the mandibular canal (mm) at arc length ``s``."""
    return float(np.interp(abs(s), *_CANAL_Z))


def _along(table: _Table, s: Field, soft: float) -> tuple[Field, Field]:
    """A tabulated height at every ``|s|``, and the factor that turns a vertical into a perpendicular distance.

    The corners of the table are smoothed over ``soft`` mm.
    """
    fine = np.arange(0.0, 112.0, 0.25)
    kernel = np.exp(-0.5 * (np.arange(-3.0 * soft, 3.0 * soft + 0.1, 0.25) / soft) ** 2)
    padded = np.pad(np.interp(fine, *table), len(kernel) // 2, mode="reflect")
    curve = np.convolve(padded, kernel / kernel.sum(), mode="valid")[: len(fine)]
    slope = np.gradient(curve, 0.25)
    scale = np.interp(s, fine, 1.0 / np.sqrt(1.0 + slope**2))
    return np.interp(s, fine, curve).astype(np.float32), scale.astype(np.float32)


def _ellipsoid(radius: float, first: Field, *others: Field | float) -> Field:
    """Approximate signed distance to an ellipsoid; the terms are coordinates divided by their semi-axes."""
    total = first**2
    for term in others:
        total = total + term**2
    result: Field = (1.0 - np.sqrt(total)) * np.float32(radius)
    return result


class Grain:
    """Trabecular bone: band-passed noise, about 1.1 mm from strut to strut, that repeats every 48 mm."""

    def __init__(self, seed: int) -> None:
        n, pitch = 96, 0.5
        noise = np.fft.rfftn(np.random.default_rng(seed).standard_normal((n, n, n), dtype=np.float32))
        f, g = np.fft.fftfreq(n, pitch) ** 2, np.fft.rfftfreq(n, pitch) ** 2
        frequency = np.sqrt(f[:, None, None] + f[None, :, None] + g[None, None, :])
        noise *= np.exp(-(((frequency - 0.42) / 0.22) ** 2))
        tile = np.fft.irfftn(noise, s=(n, n, n), axes=(0, 1, 2)).astype(np.float32)
        self._tile = tile / np.float32(tile.std())
        self._n, self._pitch = n, pitch

    def lattice(self, grid: Grid) -> Callable[[float], Field]:
        """A function from a height to the grain of the grid's plane there."""
        row = np.round(grid.y / self._pitch).astype(np.intp) % self._n
        column = np.round(grid.x / self._pitch).astype(np.intp) % self._n

        def plane(z: float) -> Field:
            depth, part = divmod(z / self._pitch, 1.0)
            lower, upper = self._tile[int(depth) % self._n], self._tile[(int(depth) + 1) % self._n]
            mixed = lower * np.float32(1.0 - part) + upper * np.float32(part)
            result: Field = mixed[row, column]
            return result

        return plane


class Tissues:
    """The soft and bony anatomy over one grid, a plane at a time."""

    def __init__(self, grid: Grid, grain: Grain) -> None:
        self._grid = grid
        self._edge = max(grid.spacing, 0.3)
        self._grain = grain.lattice(grid)
        s, t = grid.arch
        self._x, self._y, self._s, self._t = grid.x, grid.y, s, t
        self._ax = np.abs(grid.x)
        # Nobody's jaw is a formula: bend arc length and height by about a millimetre.
        bend = np.sin(s * 0.21) * 0.7 + np.sin(s * 0.083 + 1.3) * 0.9
        self._rise = (np.sin(s * 0.17 + 0.6) * 0.5 + np.sin(s * 0.061 + grid.y * 0.05) * 0.6).astype(np.float32)
        self._tongue = (1.1 * np.cos(grid.x * 0.16) * np.sin(grid.y * 0.11)).astype(np.float32)
        reach = np.abs(s + bend.astype(np.float32) * 0.6)
        self._reach = reach
        self._offset = mandible_offset(s)
        self._half = np.interp(reach, *_HALF_THICKNESS).astype(np.float32)
        self._top, self._top_scale = _along(_TOP, reach, 1.5)
        self._bottom, self._bottom_scale = _along(_BOTTOM, reach, 3.5)
        self._canal_z, self._canal_scale = _along(_CANAL_Z, reach, 3.0)
        self._canal_t = np.interp(reach, *_CANAL_T).astype(np.float32)
        self._scallop = (0.5 * np.sin(s * 0.86) + 0.3 * np.sin(s * 1.37 + 1.0)).astype(np.float32)
        self._upper_crest = np.interp(reach, (0, 18, 30, 60, 66), (12.6, 13.0, 11.3, 10.2, 12.0)).astype(np.float32)
        inside = np.clip((-t - 4.5) / 13.0, 0.0, 1.0)
        self._vault = (6.5 + 11.0 * np.sqrt(inside * (2.0 - inside))).astype(np.float32)

    def plane(self, z: float) -> Field:
        """Grey values at height ``z`` (mm), of shape (rows, columns)."""
        values = np.full(self._x.shape, AIR, dtype=np.float32)
        self._head(values, z)
        self._mouth(values, z)
        self._spine(values, z)
        if z > 6:
            self._maxilla(values, z)
        if z > 10:
            self._cavities(values, z)
        if z < 40:
            self._mandible(values, z)
        return values

    def _head(self, values: Field, z: float) -> None:
        profile = float(
            np.interp(z, (-46, -41, -32, -20, -9, -3, 0, 3, 12, 22, 30), (34, 17, 9, 13, 8, 7.5, 9, 7, 11, 8, 0))
        )
        width = float(np.interp(z, (-46, -30, 0, 30, 50), (52, 60, 67, 69, 68)))
        inside = _ellipsoid(1.0, self._ax / width, (self._y - 76.0) / (76.0 - profile)) * 55.0
        blend(values, SOFT, ramp(inside, self._edge))
        fat = ramp(inside - 2.0, 1.5) * ramp(9.0 + 3.0 * self._rise - inside, 3.0) * ramp(self._y - 24.0, 20.0)
        blend(values, FAT, fat)
        if z < 32:  # masseter outside the ramus, medial pterygoid inside
            masseter = _ellipsoid(7.0, (self._reach - 80.0) / 18.0, (self._t - self._offset - 10.0) / 6.0)
            pterygoid = _ellipsoid(6.0, (self._reach - 84.0) / 13.0, (self._t - self._offset + 11.0) / 6.0)
            blend(values, MUSCLE, np.maximum(ramp(masseter, 2.0), ramp(pterygoid, 2.0)))

    def _mouth(self, values: Field, z: float) -> None:
        if z < 20:  # a film of air between tongue and palate, and the gap between the teeth's outside and the cheek
            gap = np.minimum(self._vault - 1.0 - z, z - (self._vault - 4.0 + self._tongue))
            gap = np.minimum(gap, np.minimum(-self._t - 4.0, 0.2 * (82.0 - self._y)))
            blend(values, AIR, ramp(gap, self._edge))
        if abs(z) < 4:
            vestibule = _ellipsoid(1.5, (self._t - 7.2) / 1.5, z / 3.5) - ramp(self._reach - 44.0, 10.0) * 4.0
            blend(values, AIR, ramp(vestibule, self._edge))
        wide = float(np.interp(z, (-45, -10, 15, 30), (9, 11, 12, 13)))
        airway = _ellipsoid(6.0, self._x / wide, (self._y - 99.0 - 2.0 * np.sin(z * 0.09)) / 6.5)
        blend(values, AIR, ramp(airway, self._edge))

    def _spine(self, values: Field, z: float) -> None:
        level = abs((z + 60.0) % 19.0 - 9.5)  # mm from the middle of the disc
        body = _ellipsoid(8.0, self._x / 12.5, (self._y - 123.0 - 0.12 * level) / 9.0)
        bone = MARROW + 60.0 * self._grain(z)
        inside = rounded(body, np.full_like(body, level - 2.2), 2.0)
        blend(bone, 1050.0, ramp(1.3 - inside, 1.0))
        blend(values, 110.0, ramp(body, self._edge))
        blend(values, bone, ramp(inside, self._edge))

    def _bone(self, values: Field, inside: Field, z: float, cortex: float | Field) -> None:
        """Paint bone with a cortex of the given thickness (mm) where ``inside`` is positive."""
        bone = MARROW + 150.0 * self._grain(z)
        blend(bone, CORTEX, ramp(cortex - inside, 1.0))
        blend(values, bone, ramp(inside, self._edge))

    def _maxilla(self, values: Field, z: float) -> None:
        crest = z - self._upper_crest - 0.5 * self._rise - self._scallop
        front = ramp(24.0 - self._reach, 12.0)
        half = 5.2 - 1.7 * front + np.clip(crest, 0.0, 9.0) * 0.22 - 0.75 * max(z - 20.0, 0.0)
        height = 27.0 + 3.0 * front - z
        across = half - np.abs(self._t + 1.2 * front + 0.12 * crest * front)
        process = np.minimum(rounded(across, crest, 3.0), height)
        inside = rounded(process, 68.0 - self._reach, 4.5)
        plate = np.minimum(z - self._vault - 1.6, self._vault + 4.4 - z)
        plate = np.minimum(plate, 0.5 * (77.0 + 0.06 * self._ax - self._y))
        inside = np.maximum(inside, np.minimum(plate, -self._t - 5.5))
        inside = np.maximum(inside, self._sinus(z) + 0.9)
        inside = np.maximum(inside, self._frontal_process(z))
        inside = np.maximum(inside, self._zygoma(z))
        pterygoid = np.minimum(1.0 - np.abs(self._ax - 21.0 - (self._y - 76.0) * 0.35), 5.0 - np.abs(self._y - 78.0))
        inside = np.maximum(inside, np.minimum(pterygoid, z - 8.0))
        self._bone(values, inside, z, np.float32(1.0) + 0.5 * ramp(process, 4.0))

    def _frontal_process(self, z: float) -> Field:
        """The plate between nose and sinus that rises from the alveolar process towards the orbit."""
        rise = max(z - 24.0, 0.0)
        across = 3.4 - 0.05 * rise - np.abs(self._t + 4.0 + 0.32 * rise)
        across = np.minimum(across, z - 18.0)
        plate: Field = np.minimum(across, 0.3 * (14.0 - 0.16 * rise - np.abs(self._reach - 16.0 - 0.15 * rise)))
        return plate

    def _sinus(self, z: float) -> Field:
        # Seen from below a triangle: flat towards the nose, wide at the back.
        side = (self._ax - 17.0) / (6.0 + 0.28 * (self._y - 44.0).clip(0.0, 34.0)) - 1.0
        depth = (self._y - 62.0 - 1.5 * self._rise) / 18.0
        height = (z - 38.0 - 1.5 * self._rise - 1.6 * np.sin(self._y * 0.42) * (z < 38)) / 19.5
        main = _ellipsoid(12.0, side, depth * np.abs(depth) ** 0.4, height * np.abs(height) ** 0.3)
        recess = _ellipsoid(6.0, (self._ax - 26.0) / 6.0, (self._y - 58.0) / 8.0, (z - 24.0) / 7.5)
        return np.maximum(main, recess)

    def _zygoma(self, z: float) -> Field:
        part = np.clip((self._ax - 36.0) / 20.0, 0.0, 1.0)
        root = 6.0 - np.sqrt((self._y - 54.0 - 12.0 * part) ** 2 + (z - 25.0 - 9.0 * part) ** 2)
        root = np.minimum(root, np.minimum(self._ax - 34.0, 58.0 - self._ax))
        arch = 2.6 - np.sqrt(((self._ax - 59.0) * 0.8) ** 2 + (z - 35.0) ** 2)
        bone: Field = np.maximum(root, np.minimum(arch, np.minimum(self._y - 60.0, 102.0 - self._y)))
        return bone

    def _cavities(self, values: Field, z: float) -> None:
        sinus = self._sinus(z)
        blend(values, AIR, ramp(sinus - 0.6, self._edge))
        # An incidental finding: a retention cyst on the right sinus floor.
        cyst = _ellipsoid(7.0, (self._x + 26.0) / 8.0, (self._y - 64.0) / 8.0, (z - 20.0) / 8.0)
        blend(values, 45.0, ramp(np.minimum(cyst, sinus - 0.4), self._edge))
        wide = 13.0 * max(1.0 - (max(34.0 - z, 0.0) / 11.5) ** 2, 0.0) ** 0.5 - 0.25 * max(z - 34.0, 0.0)
        floor = z - self._vault.max() - 5.0
        breadth = wide * (1.0 - 0.5 * np.exp((14.0 - self._y) / 6.0)) + 0.5 * self._rise
        nose = rounded(
            breadth - self._ax, np.minimum(np.float32(floor), np.minimum(self._y - 14.0, 98.0 - self._y)), 2.5
        )
        blend(
            values,
            900.0,
            ramp(nose + 1.2, self._edge)
            * ramp(0.4 - nose, 0.8)
            * ramp(self._y - 22.0, 4.0)
            * ramp(80.0 - self._y, 4.0),
        )
        blend(values, AIR, ramp(nose, self._edge))
        septum = 0.8 - np.abs(self._x - 1.2 * np.sin(z * 0.2) * ramp(self._y - 30.0, 20.0))
        blend(values, 280.0, ramp(np.minimum(septum, nose + 1.0), self._edge) * ramp(78.0 - self._y, 4.0))
        for height, depth in ((30.0, 5.0), (42.0, 4.0)):
            curl = 0.9 * np.sin(self._y * 0.12 + height)
            turbinate = _ellipsoid(
                3.0, (self._ax - breadth + 4.2 + curl) / 3.6, (self._y - 56.0) / 23.0, (z - height) / depth
            )
            blend(values, SOFT, ramp(np.minimum(turbinate, nose + 1.0), self._edge))
            blend(values, 500.0, ramp(turbinate - 2.1, 0.8) * ramp(nose + 0.5, 1.0))
        canal = 1.7 - np.hypot(self._x, self._y - 30.0 - (z - 13.0) * 0.35)
        if 14 < z < 26:
            blend(values, CANAL, ramp(canal, self._edge))

    def _mandible(self, values: Field, z: float) -> None:
        body = ramp(60.0 - self._reach, 8.0)
        above = (z - self._bottom - self._rise) * self._bottom_scale
        below = (self._top + 0.5 * self._rise + self._scallop * body - z) * self._top_scale
        condyle = _ellipsoid(1.0, (self._reach - 91.0) / 8.0, (z - 31.0) / 8.0)
        half = self._half * (1.0 - 0.22 * body * ramp(8.0 - below, 8.0)) + 4.0 * np.clip(condyle, 0.0, 1.0)
        chin = 2.2 * ramp(12.0 - self._reach, 10.0) * float(np.interp(z, (-42, -30, -16), (1.0, 1.0, 0.0)))
        across = half - np.abs(self._t - self._offset - chin)
        vertical = np.minimum(above, below)
        inside = np.minimum(rounded(across, vertical, 3.4), 98.0 - self._reach)
        cortex = 1.3 + 0.9 * float(np.clip((-18.0 - z) / 20.0 + 0.5, 0.0, 1.0)) + 0.8 * ramp(6.0 - above, 6.0)
        cortex *= 1.0 - 0.55 * ramp(2.5 - below, 2.0) * body
        self._bone(values, inside, z, cortex)
        if z < 4:
            self._canal(values, z, inside)

    def _canal(self, values: Field, z: float, inside: Field) -> None:
        first, last = _CANAL_REACH
        ends = np.minimum(self._reach - first, last - self._reach)
        away = np.hypot((z - self._canal_z) * self._canal_scale, self._t - self._canal_t - 0.4 * self._rise)
        tube = np.minimum(1.35 - away, ends)
        # The mental foramen opens through the outer plate.
        mental = np.minimum(1.5 - np.hypot(self._reach - 26.5, z + 24.0), self._t - 2.0)
        tube = np.maximum(tube, mental)
        blend(values, 950.0, ramp(tube + 0.75, self._edge) * ramp(inside - 0.5, 1.0) * ramp(ends, 2.0))
        blend(values, CANAL, ramp(tube, self._edge) * ramp(inside + 1.0, 1.0))
