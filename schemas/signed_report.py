"""Versions of a report: signatures, addenda, corrections, withdrawal. A signed version never changes (invariants 7, 8)."""

import hashlib
import json
from typing import Annotated, Final, Self

from pydantic import AfterValidator, AwareDatetime, Field, JsonValue, model_validator

from schemas.errors import OdontoError
from schemas.report import ReportContent
from schemas.report_parts import ReportPart
from schemas.report_text import Line, LongText, clean_text
from schemas.signed_facts import CoveredImages, FactLine, PatientFacts, PracticeFacts, Sha256Hex, StudyFacts
from schemas.sla import AmendmentKind
from schemas.translation import N_

_HASH_DOMAIN: Final = "odontoflow.report.1"


AMENDMENT_LABELS: Final[dict[AmendmentKind, str]] = {
    AmendmentKind.APPENDED: N_("Addendum"),
    AmendmentKind.CORRECTED: N_("Corrected report"),
    AmendmentKind.AMENDED: N_("Amended report"),
}


class BrokenSuccession(OdontoError):
    """A new version does not follow from the one before it."""

    code = "report_succession"
    status = 409
    title = N_("This version does not follow from the signed one. Reload the report and try again.")


class Signature(ReportPart):
    """One person's signature as it is printed: name, registration by jurisdiction, time (UTC)."""

    user_id: Line
    name: Line
    qualification: Line = ""
    registration_number: Line
    jurisdiction: Line = ""
    signed_at: AwareDatetime

    @model_validator(mode="after")
    def _names_its_signer(self) -> Self:
        if not (self.user_id and self.name and self.registration_number):
            raise ValueError("A signature needs a user, a name and a registration number.")
        return self


class Addendum(ReportPart):
    """Text added to a report whose original words stay as they were signed."""

    text: Annotated[str, AfterValidator(clean_text), Field(max_length=20_000)]
    author: Signature
    version: int = Field(ge=2)
    """The version that this addendum made."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text:
            raise ValueError("An addendum needs text.")
        return self


class Withdrawal(ReportPart):
    """A report entered in error: kept, readable, and marked on every page (FHIR ``entered-in-error``).

    ``name`` is who took the step, which is not always who signed.
    """

    name: FactLine
    at: AwareDatetime
    reason: LongText
    replacement_report_id: Line = ""


class VersionToSign(ReportPart):
    """All of one version but its hash. Version 1 has no kind; each later one has a kind, a reason and what it replaces."""

    version: int = Field(ge=1)
    kind: AmendmentKind | None = None
    content: ReportContent
    addenda: Annotated[tuple[Addendum, ...], Field(max_length=50)] = ()
    patient: PatientFacts
    practice: PracticeFacts
    study: StudyFacts
    covered: CoveredImages
    author: Signature
    approver: Signature | None = None
    reason: LongText = ""
    supersedes: int | None = None

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        if self.version == 1 and (self.kind or self.supersedes or self.reason or self.addenda):
            raise ValueError("The first version amends nothing.")
        if self.version > 1 and not (self.kind and self.reason and self.supersedes == self.version - 1):
            raise ValueError("A later version needs a kind, a reason and the version before it.")
        if self.kind is AmendmentKind.APPENDED and (not self.addenda or self.addenda[-1].version != self.version):
            raise ValueError("An appended version ends with its own addendum.")
        if self.approver is not None and self.approver.user_id == self.author.user_id:
            raise ValueError("Nobody approves their own report.")
        if [picture.image_id for picture in self.covered.pictures] != [
            image.image_id for image in self.content.key_images
        ]:
            raise ValueError("The signature covers each key image that the report shows, in its order.")
        return self

    def signed(self, case_id: str) -> "SignedReport":
        """With its hash: from here on it never changes."""
        return SignedReport(**dict(self), report_hash=report_hash(case_id, self))


class SignedReport(VersionToSign):
    """One signed version."""

    report_hash: Sha256Hex

    @property
    def signed_at(self) -> AwareDatetime:
        """When the version became final: the last of its signatures."""
        return max(self.author.signed_at, self.approver.signed_at) if self.approver else self.author.signed_at


def check_succession(old: SignedReport, new: SignedReport) -> None:
    """Refuse a version that does not follow from `old`: `BrokenSuccession`.

    `appended` leaves the content as it was and adds one addendum; every kind keeps the addenda that exist (DOMAIN.md).
    """
    if new.version != old.version + 1:
        raise BrokenSuccession
    if new.addenda[: len(old.addenda)] != old.addenda:
        raise BrokenSuccession("Earlier addenda stay as they were signed.")
    added = len(new.addenda) - len(old.addenda)
    if new.kind is AmendmentKind.APPENDED and (new.content != old.content or added != 1):
        raise BrokenSuccession(
            "An addendum leaves the signed text untouched. Choose “corrected” or “amended” to change it."
        )
    if new.kind is not AmendmentKind.APPENDED and added:
        raise BrokenSuccession("An addendum is a version of its own.")


def marks_text(annotations: JsonValue) -> str:
    """The canonical JSON of a case's marks: what is hashed, and what a version keeps."""
    return json.dumps(annotations, sort_keys=True, separators=(",", ":"))


def sha256_hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def report_hash(case_id: str, version: VersionToSign) -> str:
    """SHA-256 (64 hexadecimal digits) of what a signature covers (invariant 7): the case and every field of its version.

    The input is JSON with sorted keys, no white space and UTF-8. Fields at their default are left out, so that a field
    which a later release adds does not change the hash of a report signed before it.
    """
    covered = {
        "domain": _HASH_DOMAIN,
        "case_id": case_id,
        **version.model_dump(mode="json", exclude={"report_hash"}, exclude_defaults=True),
    }
    canonical = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256_hex(canonical.encode())
