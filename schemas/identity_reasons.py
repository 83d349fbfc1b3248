"""Why an identity was judged as it was: one table of codes, each with its weight and a sentence without personal data."""

from enum import StrEnum
from typing import Final, NamedTuple

from schemas.translation import N_


class Attribute(StrEnum):
    """What is compared, with its DICOM attribute (PS3.3 C.7.1.1 Patient Module)."""

    NAME = "name"  # (0010,0010) PatientName
    BIRTH_DATE = "birth_date"  # (0010,0030) PatientBirthDate
    SEX = "sex"  # (0010,0040) PatientSex
    PATIENT_ID = "patient_id"  # (0010,0020) PatientID within (0010,0021) IssuerOfPatientID


class Verdict(StrEnum):
    """What one attribute says about the question "is this the case's patient"."""

    AGREES = "agrees"
    TOLERATED = "tolerated"
    CONTRADICTS = "contradicts"
    SILENT = "silent"


class ReasonCode(StrEnum):
    NAME_EQUAL = "name_equal"
    NAME_SWAPPED = "name_swapped"
    NAME_REARRANGED = "name_rearranged"
    NAME_INITIALS = "name_initials"
    NAME_FEWER_GIVEN = "name_fewer_given"
    NAME_FEWER_FAMILY = "name_fewer_family"
    NAME_TYPO = "name_typo"
    NAME_DAMAGED = "name_damaged"
    NAME_ONE_SCRIPT = "name_one_script"
    NAME_DIFFERENT = "name_different"
    NAME_OTHER_SCRIPT = "name_other_script"
    NAME_MISSING = "name_missing"
    BIRTH_DATE_EQUAL = "birth_date_equal"
    BIRTH_DATE_DIFFERENT = "birth_date_different"
    BIRTH_DATE_MISSING = "birth_date_missing"
    SEX_EQUAL = "sex_equal"
    SEX_OPPOSITE = "sex_opposite"
    SEX_UNKNOWN = "sex_unknown"
    PATIENT_ID_EQUAL = "patient_id_equal"
    PATIENT_ID_DIFFERENT = "patient_id_different"
    PATIENT_ID_OTHER_ISSUER = "patient_id_other_issuer"
    PATIENT_ID_MISSING = "patient_id_missing"


class Meaning(NamedTuple):
    attribute: Attribute
    verdict: Verdict
    sentence: str


_NAME, _DATE, _SEX, _ID = Attribute
_AGREES, _TOLERATED, _CONTRADICTS, _SILENT = Verdict

MEANINGS: Final[dict[ReasonCode, Meaning]] = {
    ReasonCode.NAME_EQUAL: Meaning(_NAME, _AGREES, N_("The name is the same.")),
    ReasonCode.NAME_SWAPPED: Meaning(_NAME, _TOLERATED, N_("Family name and given name are swapped.")),
    ReasonCode.NAME_REARRANGED: Meaning(_NAME, _TOLERATED, N_("The same names stand in another order.")),
    ReasonCode.NAME_INITIALS: Meaning(_NAME, _TOLERATED, N_("Only initials of the given name are there.")),
    ReasonCode.NAME_FEWER_GIVEN: Meaning(_NAME, _TOLERATED, N_("A given name is missing on one side.")),
    ReasonCode.NAME_FEWER_FAMILY: Meaning(_NAME, _TOLERATED, N_("A part of the family name is missing on one side.")),
    ReasonCode.NAME_TYPO: Meaning(_NAME, _TOLERATED, N_("The names differ by one letter.")),
    ReasonCode.NAME_DAMAGED: Meaning(
        _NAME, _TOLERATED, N_("Letters of the name were lost in the file; the rest agrees.")
    ),
    ReasonCode.NAME_ONE_SCRIPT: Meaning(
        _NAME, _TOLERATED, N_("The name is the same in one script and different in another.")
    ),
    ReasonCode.NAME_DIFFERENT: Meaning(_NAME, _CONTRADICTS, N_("The name is another one.")),
    ReasonCode.NAME_OTHER_SCRIPT: Meaning(
        _NAME, _SILENT, N_("The name is in another script and cannot be compared by itself.")
    ),
    ReasonCode.NAME_MISSING: Meaning(_NAME, _SILENT, N_("There is no name.")),
    ReasonCode.BIRTH_DATE_EQUAL: Meaning(_DATE, _AGREES, N_("The date of birth is the same.")),
    ReasonCode.BIRTH_DATE_DIFFERENT: Meaning(_DATE, _CONTRADICTS, N_("The date of birth is another one.")),
    ReasonCode.BIRTH_DATE_MISSING: Meaning(_DATE, _SILENT, N_("There is no usable date of birth.")),
    ReasonCode.SEX_EQUAL: Meaning(_SEX, _AGREES, N_("The sex is the same.")),
    ReasonCode.SEX_OPPOSITE: Meaning(_SEX, _CONTRADICTS, N_("The sex is the opposite one.")),
    ReasonCode.SEX_UNKNOWN: Meaning(_SEX, _SILENT, N_("The sex is not stated, or says nothing here.")),
    ReasonCode.PATIENT_ID_EQUAL: Meaning(_ID, _AGREES, N_("The patient number is the same.")),
    ReasonCode.PATIENT_ID_DIFFERENT: Meaning(
        _ID, _CONTRADICTS, N_("The patient number of the same issuer is another one.")
    ),
    ReasonCode.PATIENT_ID_OTHER_ISSUER: Meaning(
        _ID, _SILENT, N_("The patient numbers come from different issuers and cannot be compared.")
    ),
    ReasonCode.PATIENT_ID_MISSING: Meaning(_ID, _SILENT, N_("There is no patient number.")),
}
