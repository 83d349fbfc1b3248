"""Whether a picture may show its patient's name in its pixels: no metadata that is sealed or left out hides that."""

from typing import Any, Final

YES: Final = "yes"
POSSIBLE: Final = "possible"
NO: Final = "no"

_CAPTURED: Final = ("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.3")
"""Secondary Capture and Ultrasound with all their kinds (PS3.4 annex B.5): screens are captured with what is written on them."""
_WRITTEN_ON: Final = frozenset({"SC", "US", "OT", "DOC"})
_DIGITISED: Final = frozenset({"DF", "DV", "DI", "SD", "SI", "DRW", "WSD"})
"""Conversion Type (0008,0064): from film, video, a screen or paper, which bear labels."""


def burned_in(dataset: Any) -> str:
    """``yes`` or ``no`` as Burned In Annotation (0028,0301; PS3.3 C.7.6.1) says; where that is absent, ``possible`` for
    pictures of the kinds that usually bear writing."""
    stated = str(dataset.get("BurnedInAnnotation") or "").strip().upper()
    if stated in {"YES", "NO"}:
        return YES if stated == "YES" else NO
    sop_class = str(dataset.get("SOPClassUID") or "")
    if any(sop_class == root or sop_class.startswith(f"{root}.") for root in _CAPTURED):
        return POSSIBLE
    if str(dataset.get("Modality") or "").strip().upper() in _WRITTEN_ON:
        return POSSIBLE
    conversion = str(dataset.get("ConversionType") or "").strip().upper()
    return POSSIBLE if conversion in _DIGITISED else NO
