"""SNOMED CT codes of teeth, as DICOM uses them for intraoral images.

Source: DICOM PS3.16 CID 4018 "Primary Anatomic Structure for Intra-Oral Radiography (Permanent Dentition - Designation of
Teeth)" and CID 4019 (the same for the deciduous dentition); coding scheme designator SCT.
"""

from typing import Final

from schemas.teeth import DECIDUOUS_TEETH, Tooth

_CODES: Final = {
    "18": "68085002",
    "17": "863902006",
    "16": "865995000",
    "15": "36492000",
    "14": "57826002",
    "13": "860767006",
    "12": "424877001",
    "11": "422653006",
    "21": "424399000",
    "22": "423185002",
    "23": "860780009",
    "24": "61897005",
    "25": "23226009",
    "26": "865988009",
    "27": "863901004",
    "28": "87704003",
    "38": "74344005",
    "37": "863898000",
    "36": "866006002",
    "35": "24573005",
    "34": "2400006",
    "33": "860782001",
    "32": "423331005",
    "31": "425106001",
    "41": "424575004",
    "42": "423937004",
    "43": "860785004",
    "44": "80140008",
    "45": "8873007",
    "46": "866005003",
    "47": "863899008",
    "48": "38994002",
    "55": "27855007",
    "54": "17505006",
    "53": "30618001",
    "52": "65624003",
    "51": "88824007",
    "61": "51678005",
    "62": "43622005",
    "63": "73937000",
    "64": "45234009",
    "65": "51943008",
    "75": "49330006",
    "74": "38896004",
    "73": "43281008",
    "72": "14770005",
    "71": "89552004",
    "81": "67834006",
    "82": "22445006",
    "83": "6062009",
    "84": "58646007",
    "85": "61868007",
}

_PERMANENT_NAMES: Final = (
    "central incisor",
    "lateral incisor",
    "canine",
    "first premolar",
    "second premolar",
    "first molar",
    "second molar",
    "third molar",
)
_DECIDUOUS_NAMES: Final = ("central incisor", "lateral incisor", "canine", "first molar", "second molar")
_PLACES: Final = {1: "maxillary right", 2: "maxillary left", 3: "mandibular left", 4: "mandibular right"}


def snomed_code(tooth: Tooth) -> str | None:
    """The SNOMED CT concept id; None for supernumerary and unidentified teeth, which the context groups lack."""
    return _CODES.get(tooth.code)


def code_meaning(tooth: Tooth) -> str | None:
    """The meaning beside the code, in English as DICOM gives it: ``Permanent maxillary right first molar tooth``.

    DICOM leaves "Permanent" away in the lower jaw.
    """
    if tooth.quadrant is None or tooth.position is None or tooth.supernumerary:
        return None
    if tooth in DECIDUOUS_TEETH:
        words = f"deciduous {_PLACES[tooth.quadrant]} {_DECIDUOUS_NAMES[tooth.position - 1]} tooth"
    else:
        words = f"{_PLACES[tooth.quadrant]} {_PERMANENT_NAMES[tooth.position - 1]} tooth"
        if tooth.quadrant in (1, 2):
            words = "permanent " + words
    return words.capitalize()
