"""The structured report: complete before signature, stable under JSON, hashed so that any change shows."""

import warnings
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.clinical import (
    FIELD_LABELS,
    ClinicalForm,
    Pregnancy,
    Purpose,
    Region,
    Sex,
    pregnancy_matters,
)
from schemas.report import ReportContent, blank_report
from schemas.report_changes import Section, diff, diff_content
from schemas.report_parts import (
    AreaOfInterest,
    Communication,
    CommunicationMethod,
    Criticality,
    Examination,
    Finding,
    FollowUp,
    ImageQuality,
    KeyImage,
    Modality,
    Quality,
    Recommendation,
    RegionEntry,
    RegionStatus,
)
from schemas.report_text import clean_line, clean_text
from schemas.signed_facts import (
    CoveredImages,
    CoveredPicture,
    GroupFacts,
    PatientFacts,
    PracticeFacts,
    StudyFacts,
)
from schemas.signed_report import (
    Addendum,
    BrokenSuccession,
    Signature,
    SignedReport,
    VersionToSign,
    check_succession,
    marks_text,
    report_hash,
)
from schemas.sla import AmendmentKind
from schemas.teeth import DECIDUOUS_TEETH, PERMANENT_TEETH, Notation
from tests.schemas.leaves import altered, leaves

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
AUTHOR = Signature(user_id="usr_a", name="Dr A. Reader", registration_number="OMR 1", jurisdiction="ON", signed_at=NOW)
APPROVER = Signature(user_id="usr_b", name="Dr B. Second", registration_number="OMR 2", signed_at=NOW)


def complete_report() -> ReportContent:
    blank = blank_report(Purpose.IMPLANT, 80)
    return blank.model_copy(
        update={
            "examination": Examination(field_of_view_mm=80, indication="Implant at 36."),
            "quality": Quality(rating=ImageQuality.DIAGNOSTIC),
            "regions": tuple(RegionEntry(code=r.code, status=RegionStatus.NORMAL) for r in blank.regions),
            "findings": (Finding(id="f1", teeth=("36",), text="Concavity.", criticality=Criticality.CATEGORY_2),),
            "areas_of_interest": (AreaOfInterest(teeth=("36",), text="Ridge 7.1 mm wide."),),
            "key_images": (KeyImage(image_id="k1", caption="Cross-section at 36."),),
            "impression": "Sufficient bone.",
            "recommendations": (
                Recommendation(text="Repeat.", follow_up=FollowUp(due_months=6, site="36", owner="Referring dentist")),
            ),
            "communications": (
                Communication(recipient="Dr C", at=NOW, method=CommunicationMethod.TELEPHONE, finding_id="f1"),
            ),
        }
    )


def changed(content: ReportContent, **update: Any) -> ReportContent:
    return ReportContent.model_validate(content.model_copy(update=update).model_dump())


def to_sign(content: ReportContent, **facts: Any) -> VersionToSign:
    pictures = tuple(CoveredPicture(image_id=image.image_id, sha256="2" * 64) for image in content.key_images)
    values: dict[str, Any] = {
        "version": 1,
        "content": content,
        "author": AUTHOR,
        "patient": PatientFacts(name="Anna Muster", birth_date=date(1980, 2, 14), sex=Sex.FEMALE),
        "practice": PracticeFacts(name="Practice", notation=Notation.FDI, locale="en", time_zone="UTC"),
        "study": StudyFacts(accession_number="R1"),
        "covered": CoveredImages(marks="0" * 64, pictures=pictures, image_set=1, image_set_hash="1" * 64),
    }
    return VersionToSign(**(values | facts))


def signed(content: ReportContent, **facts: Any) -> SignedReport:
    return to_sign(content, **facts).signed("case_1")


def fields(content: ReportContent) -> set[str]:
    return {item.field for item in content.missing_for_signature()}


def test_the_clinical_form_names_what_a_submission_needs() -> None:
    assert set(FIELD_LABELS) == set(ClinicalForm.model_fields)
    assert set(ClinicalForm().missing_for_submission(ask_pregnancy=True)) <= set(FIELD_LABELS)
    form = ClinicalForm(
        referrer="Dr C", purpose=Purpose.TMD, clinical_question="Clicking?", region=Region.TMJ_BOTH, consent=True
    )
    assert form.missing_for_submission() == []
    assert form.missing_for_submission(ask_pregnancy=True) == ["pregnancy"]
    answered = form.model_copy(update={"pregnancy": Pregnancy.NOT_PREGNANT})
    assert answered.missing_for_submission(ask_pregnancy=True) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"teeth": ["19"]},
        {"teeth": ["16X"]},
        {"teeth": ["56"]},
        {"teeth": ["91"]},
        {"colour": "x"},
        {"history": "x" * 4001},
    ],
)
def test_the_clinical_form_refuses_what_it_does_not_know(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ClinicalForm(**wrong)


def test_pregnancy_is_asked_where_it_matters_and_when_in_doubt() -> None:
    assert pregnancy_matters(Sex.FEMALE, 30)
    assert pregnancy_matters(Sex.UNKNOWN, None)
    assert not pregnancy_matters(Sex.MALE, 30)
    assert not pregnancy_matters(Sex.FEMALE, 80)
    assert Sex.from_dicom("f ") is Sex.FEMALE
    assert Sex.from_dicom(None) is Sex.UNKNOWN
    assert [sex.dicom for sex in Sex] == ["F", "M", "O", ""]


def test_a_blank_report_asks_for_everything_and_a_complete_one_for_nothing() -> None:
    blank = blank_report(Purpose.IMPLANT, 80)
    missing = fields(blank)
    assert {"examination.indication", "quality.rating", "areas_of_interest", "impression"} <= missing
    assert {f"regions.{region.code}.status" for region in blank.regions} <= missing
    assert complete_report().missing_for_signature() == ()


def test_a_region_that_was_taken_out_of_the_list_is_still_demanded() -> None:
    report = complete_report()
    assert fields(changed(report, regions=report.regions[1:])) == {"regions.teeth.status"}


def test_a_larger_field_of_view_demands_the_whole_volume() -> None:
    wide = changed(complete_report(), examination=Examination(field_of_view_mm=160, indication="Implant at 36."))
    assert {"regions.skull_base.status", "regions.cervical_spine.status"} <= fields(wide)


def test_a_projection_lists_what_it_shows() -> None:
    film = changed(
        complete_report(),
        examination=Examination(modality=Modality.PANORAMIC, indication="Check."),
        regions=(RegionEntry(code="teeth", status=RegionStatus.NORMAL),),
    )
    assert film.missing_for_signature() == ()
    assert fields(changed(film, regions=())) == {"regions"}


@pytest.mark.parametrize(
    ("update", "field"),
    [
        ({"quality": Quality(rating=ImageQuality.LIMITED)}, "quality.limits"),
        ({"findings": (Finding(id="f1", text="Lesion."),)}, "findings.0.site"),
        ({"findings": (Finding(id="f1", site="Mandible"),)}, "findings.0.text"),
        ({"key_images": (KeyImage(image_id="k1"),)}, "key_images.0.caption"),
        ({"recommendations": (Recommendation(text="See.", follow_up=FollowUp()),)}, "recommendations.0.follow_up.due"),
        ({"communications": (Communication(recipient="Dr C", at=NOW),)}, "communications.0.method"),
        ({"findings": ()}, "communications.0.finding_id"),
        ({"impression": " \n "}, "impression"),
    ],
)
def test_signature_needs_each_part_whole(update: dict[str, Any], field: str) -> None:
    assert field in fields(changed(complete_report(), **update))


def test_a_marked_finding_needs_words_and_the_sentence_names_the_region() -> None:
    report = complete_report()
    regions = (RegionEntry(code="teeth", status=RegionStatus.FINDING), *report.regions[1:])
    (item,) = changed(report, regions=regions).missing_for_signature()
    assert item.field == "regions.teeth.text"
    assert item.sentence == "Describe the finding in “Teeth and restorations”."


def test_the_most_urgent_finding_comes_first() -> None:
    findings = tuple(Finding(id=f"f{c}", text="x", site="y", criticality=Criticality(c)) for c in ("3", "none", "1"))
    report = changed(complete_report(), findings=findings, communications=())
    assert [finding.id for finding in report.critical_findings] == ["f1", "f3"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"impression": "x" * 8001},
        {"findings": [{"id": "f1", "teeth": ["39"]}]},
        {"findings": [{"id": "f1"}, {"id": "f1"}]},
        {"regions": [{"code": "teeth"}] * 2},
        {"recommendations": [{"follow_up": {"due_months": 6, "due_on": "2027-01-01"}}]},
        {"communications": [{"at": "2026-11-24T09:30:00"}]},
        {"examination": {"voxel_mm": float("nan")}},
        {"colour": "red"},
    ],
)
def test_a_report_refuses_what_it_cannot_hold(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReportContent.model_validate(wrong)


@given(st.text(max_size=300))
def test_cleaning_text_is_stable_and_leaves_nothing_invisible(text: str) -> None:
    for clean in (clean_text, clean_line):
        once = clean(text)
        assert clean(once) == once
        assert not set(once) & set("\x00\x1b\r\u202d\u202e\u2028")
    assert "\n" not in clean_line(text)


@given(st.text(max_size=200), st.floats(0.05, 5), st.sampled_from(Purpose))
def test_a_report_survives_json(text: str, voxel: float, purpose: Purpose) -> None:
    report = ReportContent(purpose=purpose, impression=text, examination=Examination(voxel_mm=voxel, device="X"))
    again = ReportContent.model_validate_json(report.model_dump_json())
    assert again == report
    assert signed(again).report_hash == signed(report).report_hash


def test_the_hash_covers_the_case_and_every_field_of_the_version() -> None:
    """Whatever leaf of a signed version is changed, its hash is another one (invariant 7)."""
    addendum = Addendum(text="More.", author=AUTHOR, version=2)
    whole = signed(
        complete_report(),
        version=2,
        kind=AmendmentKind.APPENDED,
        reason="More came",
        supersedes=1,
        addenda=(addendum,),
        approver=APPROVER,
        study=StudyFacts(
            accession_number="R1",
            referrer="Dr C",
            copies_to=("Dr D",),
            reading_group=GroupFacts(name="Group", address_lines=("Street 1",), phone="1"),
        ),
    )
    written = whole.model_dump(mode="json")
    hashes = {whole.report_hash, report_hash("case_2", whole)}
    changes = 0
    for path in leaves({name: value for name, value in written.items() if name != "report_hash"}):
        changes += 1
        other = VersionToSign.model_construct(**altered(written, path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what was changed need not be what its type says
            hashes.add(report_hash("case_1", other))
    assert changes > 60
    assert len(hashes) == changes + 2


def test_the_hash_of_a_stored_report_never_moves() -> None:
    """A signed report is verified years later: this figure may only change together with the domain of the hash."""
    assert signed(complete_report()).report_hash == ("3d34578e8892f81a16c5481cfd6a1b38a0d7dde39b62b0c57121dbecfdec76f5")


def test_two_spellings_of_one_letter_hash_alike() -> None:
    composed, decomposed = (ReportContent(impression=text) for text in ("M\u00fcller", "Mu\u0308ller"))
    assert signed(composed).report_hash == signed(decomposed).report_hash


def test_an_addendum_leaves_the_signed_text_as_it_was() -> None:
    report = complete_report()
    addendum = Addendum(text="Earlier images were received.", author=AUTHOR, version=2)
    later = {"version": 2, "kind": AmendmentKind.APPENDED, "reason": "Earlier images", "supersedes": 1}
    first, second = signed(report), signed(report, addenda=(addendum,), **later)
    check_succession(first, second)
    (change,) = diff(first, second)
    assert (change.section, change.before, change.after) == (Section.ADDENDA, "", "Earlier images were received.")
    with pytest.raises(BrokenSuccession, match="untouched"):
        check_succession(first, signed(changed(report, impression="Other."), addenda=(addendum,), **later))
    corrected = {"version": 3, "kind": AmendmentKind.CORRECTED, "reason": "Side", "supersedes": 2}
    check_succession(second, signed(changed(report, impression="Other."), addenda=(addendum,), **corrected))
    with pytest.raises(BrokenSuccession, match="Earlier addenda"):
        check_succession(second, signed(changed(report, impression="Other."), **corrected))
    with pytest.raises(BrokenSuccession):
        check_succession(first, signed(report, addenda=(addendum,), **corrected))


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2},
        {"version": 1, "kind": AmendmentKind.CORRECTED},
        {"version": 3, "kind": AmendmentKind.CORRECTED, "reason": "Side", "supersedes": 1},
        {"version": 2, "kind": AmendmentKind.CORRECTED, "reason": "", "supersedes": 1},
        {"version": 2, "kind": AmendmentKind.APPENDED, "reason": "More", "supersedes": 1},
        {"approver": AUTHOR},
        {"covered": CoveredImages(marks="0" * 64, image_set=1, image_set_hash="1" * 64)},
        {"covered": {"marks": "short", "image_set": 1, "image_set_hash": "1" * 64}},
    ],
)
def test_an_incoherent_version_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        signed(complete_report(), **wrong)


def test_a_version_is_final_with_its_last_signature() -> None:
    later = APPROVER.model_copy(update={"signed_at": datetime(2026, 11, 24, 11, tzinfo=UTC)})
    assert signed(complete_report(), approver=later).signed_at == later.signed_at


def test_the_difference_names_sections_and_nothing_else() -> None:
    old = complete_report()
    new = changed(
        old,
        impression="Insufficient bone at 36.",
        findings=(),
        communications=(),
        examination=old.examination.model_copy(update={"acquired_on": date(2026, 11, 20)}),
    )
    changes = {change.section: change for change in diff_content(old, new)}
    assert set(changes) == {Section.IMPRESSION, Section.FINDINGS, Section.EXAMINATION, Section.COMMUNICATION}
    assert changes[Section.IMPRESSION].after == "Insufficient bone at 36."
    assert changes[Section.FINDINGS].verb == "removed"
    assert diff_content(old, old) == ()


def test_an_exchanged_key_image_is_a_change_even_under_the_same_caption() -> None:
    old = complete_report()
    new = changed(old, key_images=(KeyImage(image_id="k2", caption=old.key_images[0].caption),))
    assert [change.section for change in diff_content(old, new)] == [Section.KEY_IMAGES]


def test_every_tooth_that_can_be_named_can_be_stored() -> None:
    codes = [tooth.code for tooth in (*PERMANENT_TEETH, *DECIDUOUS_TEETH)]
    codes += [code + "S" for code in codes[:4]] + ["?"]
    assert ClinicalForm(teeth=codes[:52]).teeth == codes[:52]
    assert AreaOfInterest(teeth=tuple(codes[-5:])).teeth == tuple(codes[-5:])


def test_marks_are_written_in_one_way() -> None:
    assert marks_text([{"b": 1.5, "a": "é"}]) == marks_text([{"a": "é", "b": 1.5}]) == '[{"a":"\\u00e9","b":1.5}]'


def test_a_long_addendum_and_a_long_reason_can_be_signed() -> None:
    """As long as their forms take them: a signature that fails for its length would be tried for ever."""
    addendum = Addendum(text="x" * 20_000, author=AUTHOR, version=2)
    later = {"version": 2, "kind": AmendmentKind.APPENDED, "reason": "y" * 4_000, "supersedes": 1}
    assert signed(complete_report(), addenda=(addendum,), **later).reason == "y" * 4_000
