"""Whose images these are: the case's patient against what the files say (DOMAIN rules, wrong-patient protection)."""

from typing import Any

from pydantic import JsonValue
from sqlmodel import Session

from activities.imaging.parser.results import Identity, metadata_object
from activities.records.opening import demographics_of
from infra.keys import DataKey
from infra.keystore import KeyStore
from infra.sealing import column_aad, open_sealed
from schemas.forms import Demographics
from schemas.identity import PersonIdentity
from schemas.tables.case import Case
from schemas.tables.people import Patient

_NAME, _ID, _ISSUER, _BIRTH_DATE, _SEX = "00100010", "00100020", "00100021", "00100030", "00100040"


def case_identity(session: Session, keys: KeyStore, case: Case) -> PersonIdentity:
    """The patient as the practice knows them. PHI."""
    return identity_of_demographics(demographics_of(keys, session.get_one(Patient, case.patient_id)))


def identity_of_demographics(person: Demographics) -> PersonIdentity:
    return PersonIdentity(
        family=person.family_name,
        given=person.given_name,
        birth_date=person.birth_date,
        sex=person.sex,
        patient_id=person.patient_number,
        issuer=person.issuer,
    )


def identity_of_facts(found: Identity) -> PersonIdentity:
    return PersonIdentity.from_dicom(
        patient_name=found.patient_name,
        birth_date=found.birth_date,
        sex=found.sex,
        patient_id=found.patient_id,
        issuer=found.issuer,
    )


def identity_of_metadata(metadata: dict[str, JsonValue]) -> PersonIdentity:
    """From the DICOM JSON of an instance (PS3.18 F.2.2: a person's name is an object of up to three groups)."""
    return PersonIdentity.from_dicom(
        patient_name=_person_name(_first(metadata, _NAME)),
        birth_date=_text(_first(metadata, _BIRTH_DATE)),
        sex=_text(_first(metadata, _SEX)),
        patient_id=_text(_first(metadata, _ID)),
        issuer=_text(_first(metadata, _ISSUER)),
    )


def identity_in(key: DataKey, instance_id: str, metadata_json: bytes) -> PersonIdentity:
    """From an instance's columns: its id, and its sealed metadata. PHI."""
    return identity_of_metadata(
        metadata_object(open_sealed(key, metadata_json, column_aad("instance", instance_id, "metadata_json")))
    )


def _first(metadata: dict[str, JsonValue], tag: str) -> Any:
    element = metadata.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values[0] if isinstance(values, list) and values else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _person_name(value: Any) -> str:
    if isinstance(value, dict):
        return "=".join(_text(value.get(group)) for group in ("Alphabetic", "Ideographic", "Phonetic")).rstrip("=")
    return _text(value)
