"""Form and size of the permanent teeth: the averages that textbooks of dental anatomy give, in mm."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Root:
    """One root: its direction from the tooth's middle (mesial, buccal) in mm at mid-length, and its half-widths."""

    mesial: float
    buccal: float
    half_mesiodistal: float
    half_buccolingual: float
    length: float
    """As a part of the tooth's root length."""


@dataclass(frozen=True)
class Anatomy:
    """Average form of a tooth, named by its position in the quadrant, 1 to 8."""

    crown: float
    root: float
    width: float
    neck: float
    depth: float
    neck_depth: float
    enamel: float
    roots: tuple[Root, ...] = ()
    """Empty for a single root."""
    lean: float = 0.0
    """Inclination of the crown towards the cheek or lip, degrees."""
    tip: float = 0.0
    """Inclination of the crown towards the midline, degrees."""


_THREE_ROOTS = (Root(2.3, 2.2, 1.6, 2.2, 1.0), Root(-2.5, 2.1, 1.5, 1.9, 0.95), Root(-0.2, -3.4, 1.9, 1.7, 1.04))
_TWO_ROOTS = (Root(2.6, 0.0, 1.7, 3.2, 1.0), Root(-2.6, 0.0, 1.7, 2.9, 0.96))
_BIFID = (Root(0.0, 2.2, 1.6, 1.6, 1.0), Root(0.0, -2.2, 1.5, 1.6, 0.97))
_FUSED = (Root(1.4, 0.6, 1.6, 2.4, 1.0), Root(-1.4, -0.4, 1.6, 2.2, 0.95))

UPPER = (
    Anatomy(10.5, 13.0, 8.5, 6.6, 7.0, 6.0, 1.0, lean=13.0, tip=2.0),
    Anatomy(9.2, 13.0, 6.6, 5.0, 6.0, 5.2, 0.9, lean=12.0, tip=5.0),
    Anatomy(10.0, 16.5, 7.6, 5.6, 8.0, 7.0, 1.1, lean=6.0, tip=7.0),
    Anatomy(8.4, 13.5, 7.0, 5.0, 9.0, 8.0, 1.5, _BIFID, lean=-2.0, tip=4.0),
    Anatomy(8.2, 13.5, 6.8, 5.0, 9.0, 8.0, 1.5, lean=-3.0, tip=3.0),
    Anatomy(7.6, 12.5, 10.2, 8.0, 11.0, 10.0, 1.9, _THREE_ROOTS, lean=-4.0, tip=2.0),
    Anatomy(7.2, 11.8, 9.4, 7.2, 11.0, 9.8, 1.8, _THREE_ROOTS, lean=-2.0, tip=-2.0),
    Anatomy(6.6, 10.5, 8.6, 6.5, 10.0, 9.2, 1.6, _FUSED, lean=4.0, tip=-6.0),
)
LOWER = (
    Anatomy(8.8, 12.5, 5.2, 3.7, 6.0, 5.3, 0.8, lean=6.0, tip=0.0),
    Anatomy(9.2, 13.5, 5.7, 4.1, 6.3, 5.8, 0.8, lean=6.0, tip=1.0),
    Anatomy(10.5, 15.5, 7.0, 5.4, 7.6, 7.0, 1.0, lean=4.0, tip=4.0),
    Anatomy(8.4, 14.0, 7.1, 5.0, 7.7, 6.6, 1.4, lean=-3.0, tip=4.0),
    Anatomy(8.0, 14.5, 7.2, 5.1, 8.2, 7.0, 1.5, lean=-6.0, tip=5.0),
    Anatomy(7.5, 14.0, 11.2, 9.0, 10.4, 9.0, 1.9, _TWO_ROOTS, lean=-10.0, tip=8.0),
    Anatomy(7.0, 13.0, 10.6, 8.0, 10.0, 9.0, 1.8, _TWO_ROOTS, lean=-12.0, tip=10.0),
    Anatomy(6.8, 11.0, 10.0, 7.6, 9.5, 8.8, 1.6, _FUSED, lean=-12.0, tip=13.0),
)
