"""A case that is really signed, with marks, a picture and an image, for tests of what its signature covers."""

import io
from datetime import UTC, datetime
from typing import Any

from PIL import Image
from sqlmodel import select

from activities.records.signing import draft_hash
from api.imaging.access import CaseImages
from api.imaging.viewer_state import AnnotationsBody, NewKeyImage, add_key_image, save_annotations
from infra.sealing import column_aad, seal_json
from schemas.forms import ReportDraftBody
from schemas.lifecycle import Action
from schemas.messages import ApplyResult, CommandFacts, SystemStep
from schemas.report_parts import KeyImage
from schemas.sla import AmendmentKind
from schemas.state import IdentityStanding
from schemas.tables.case import Case
from schemas.tables.imaging import AnnotationSet, Instance, Series
from schemas.tables.report import ReportDraft, ReportVersion
from tests.activities.documents.samples import content
from tests.activities.records.steps import step, take
from tests.checked_images import add_checked_image
from tests.world import World

MARKS = [{"uid": "m1", "tool": "Length", "points": [[1.5, 2.0], [3.25, 4.0]]}]


def case_in_review(world: World, **image: str) -> Case:
    """Submitted with one checked image, let pass, and claimed by the radiologist."""
    case = world.add_case()
    add_checked_image(world, case, **image)
    took(take(world, case.id, "dentist", Action.SUBMIT))
    took(step(world, case.id, SystemStep(action=Action.PASS_PROCESSING, identity=IdentityStanding.MATCHED)))
    took(take(world, case.id, "radiologist", Action.CLAIM))
    return world.case(case.id)


def took(result: ApplyResult) -> None:
    assert result.applied, result


def draw(world: World, case: Case, marks: list[dict[str, Any]]) -> None:
    """The marks are saved as the viewer saves them."""
    key = world.keys.data_key(case.key_id)
    with world.database.write() as session:
        known = session.get(AnnotationSet, case.id)
        body = AnnotationsBody(annotations=marks, viewer_state={"zoom": 2})
        revision = known.revision if known else 0
        assert save_annotations(session, key, case.id, world.user_id("radiologist"), body, revision=revision)


def take_picture(world: World, case: Case) -> str:
    """A key image of the case's image; its id."""
    picture = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).save(picture, "JPEG")
    images = CaseImages(case, world.keys.data_key(case.key_id), case.image_set)
    with world.database.write() as session:
        instance, series = session.exec(
            select(Instance, Series).join(Series).where(Instance.case_id == case.id)
        ).first() or (None, None)
        assert instance is not None and series is not None
        session.get_one(Case, case.id)
        new = NewKeyImage(series_uid=series.series_uid, instance_uid=instance.sop_uid, image="data:")
        return add_key_image(session, images, world.user_id("radiologist"), new, picture.getvalue()).id


def write_draft(world: World, case: Case, *image_ids: str, addendum: str = "", **changes: Any) -> str:
    """A complete draft that shows these pictures; its hash."""
    pictures = tuple(KeyImage(image_id=image_id, caption="Cross-section.") for image_id in image_ids)
    body = ReportDraftBody(content=content(key_images=pictures, **changes), addendum=addendum)
    sealed = seal_json(
        world.keys.data_key(case.key_id), body.model_dump(mode="json"), column_aad("report_draft", case.id, "content")
    )
    with world.database.write() as session:
        session.merge(
            ReportDraft(
                case_id=case.id,
                content=sealed,
                content_hash=draft_hash(body),
                updated_by=world.user_id("radiologist"),
                updated_at=datetime.now(UTC),
            )
        )
    return draft_hash(body)


def sign(world: World, case: Case, draft: str) -> ApplyResult:
    return take(
        world, case.id, "radiologist", Action.SIGN, CommandFacts(draft_hash=draft), draft_hash=draft, password="p"
    )


def signed_case(world: World) -> Case:
    """Version 1, with marks and one picture."""
    case = case_in_review(world)
    draw(world, case, MARKS)
    took(sign(world, case, write_draft(world, case, take_picture(world, case))))
    return world.case(case.id)


def amend(world: World, case: Case, kind: AmendmentKind = AmendmentKind.CORRECTED) -> None:
    facts = CommandFacts(amendment_kind=kind)
    took(take(world, case.id, "radiologist", Action.AMEND, facts, kind=kind, reason="The side was wrong."))


def version_rows(world: World, case: Case) -> list[ReportVersion]:
    with world.database.read() as session:
        rows = session.exec(select(ReportVersion).where(ReportVersion.case_id == case.id)).all()
        return sorted(rows, key=lambda row: row.version)
