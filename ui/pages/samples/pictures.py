"""Drawn stand-ins for radiographs, so that the sample pages look like the real ones. They show no person."""

from math import cos, pi, sin
from typing import Final

_DEFS: Final = (
    '<defs><filter id="soft"><feGaussianBlur stdDeviation="2.2"/></filter><filter id="wide"><feGaussianBlur '
    'stdDeviation="9"/></filter><linearGradient id="tooth" x1="0" y1="0" x2="0" y2="1"><stop offset="0" '
    'stop-color="#f4f4f4"/><stop offset=".45" stop-color="#cfcfcf"/><stop offset="1" stop-color="#8d8d8d"/>'
    "</linearGradient></defs>"
)


def _tooth(x: float, y: float, *, width: float, height: float, angle: float, up: bool) -> str:
    flip = "scale(1,-1)" if up else ""
    half = width / 2
    crown = (
        f"M{-half},{-height * 0.1} C{-half},{-height * 0.42} {half},{-height * 0.42} {half},{-height * 0.1} "
        f"C{half * 0.9},{height * 0.2} {half * 0.35},{height * 0.55} 0,{height * 0.6} "
        f"C{-half * 0.35},{height * 0.55} {-half * 0.9},{height * 0.2} {-half},{-height * 0.1}Z"
    )
    pulp = f'<path d="M0,{-height * 0.12}V{height * 0.45}" stroke="#6f6f6f" stroke-width="{width * 0.14:.1f}" fill="none"/>'
    return f'<g transform="translate({x:.1f},{y:.1f}) rotate({angle:.1f}) {flip}"><path d="{crown}" fill="url(#tooth)"/>{pulp}</g>'


def panoramic() -> str:
    teeth = []
    for index in range(-7, 8):
        x = 400 + index * 41.0
        bow = (index / 7) ** 2
        width = 26 + 12 * min(1.0, abs(index) / 5)
        teeth.append(_tooth(x, 209 - 26 * bow, width=width, height=104, angle=index * 1.6, up=True))
        teeth.append(_tooth(x, 254 - 34 * bow, width=width * 0.92, height=100, angle=-index * 1.6, up=False))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 440" width="800" height="440">{_DEFS}<rect width="800" '
        'height="440" fill="#050505"/><g filter="url(#wide)"><path d="M60,60 C80,330 250,420 400,420 S720,330 740,60 L690,60 '
        'C650,250 560,330 400,335 S150,250 110,60Z" fill="#7d7d7d"/><path d="M110,120 C200,40 600,40 690,120 L650,190 C560,140 '
        '240,140 150,190Z" fill="#5c5c5c"/><ellipse cx="400" cy="235" rx="330" ry="92" fill="#4a4a4a"/></g>'
        '<path d="M130,250 C190,330 280,352 345,338 M670,250 C610,330 520,352 455,338" stroke="#2b2b2b" stroke-width="8" '
        f'fill="none" filter="url(#soft)"/><g filter="url(#soft)">{"".join(teeth)}</g></svg>'
    )


def axial() -> str:
    teeth = []
    for index in range(-7, 8):
        angle = index / 7 * 1.22
        x, y = 256 + 128 * sin(angle), 340 - 205 * cos(angle)
        size = 12 + 7 * min(1.0, abs(index) / 5)
        turn = angle * 180 / pi
        teeth.append(
            f'<g transform="translate({x:.1f},{y:.1f}) rotate({turn:.1f})"><ellipse rx="{size:.1f}" ry="{size * 1.15:.1f}" '
            f'fill="#d8d8d8"/><ellipse rx="{size * 0.25:.1f}" ry="{size * 0.3:.1f}" fill="#5c5c5c"/></g>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512" width="512" height="512">{_DEFS}<rect width="512" '
        'height="512" fill="#000"/><circle cx="256" cy="256" r="236" fill="#1f1f1f"/><g filter="url(#wide)"><path d="M78,420 '
        'C90,200 170,90 256,90 S422,200 434,420 L360,430 C350,250 320,185 256,182 S162,250 152,430Z" fill="#6d6d6d"/>'
        '<ellipse cx="256" cy="380" rx="70" ry="60" fill="#2e2e2e"/></g>'
        f'<g filter="url(#soft)">{"".join(teeth)}</g></svg>'
    )


PICTURES: Final = {"panoramic": panoramic, "axial": axial}
