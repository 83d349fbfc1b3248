"""What a reader leaves on the images: annotations with the view, and key images for the report."""

import base64
import binascii
import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Final, cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, field_validator
from sqlmodel import Session, col, func, select

from activities.documents.assembly import signed_versions
from activities.imaging.parser.pool import BytesSource, ParserPool
from activities.imaging.parser.problems import FileProblem
from api.imaging.access import CaseImages
from infra.database import now
from infra.keys import DataKey
from infra.keystore import KeyStore
from infra.sealing import column_aad, open_json, open_sealed, seal, seal_json
from schemas.errors import InvalidInput, NotFound, OdontoError, StateConflict
from schemas.files import FileState
from schemas.ids import new_id
from schemas.tables.imaging import AnnotationSet, Instance, KeyImage, Series, StoredFile
from schemas.translation import N_

MAX_ANNOTATIONS: Final = 4 << 20
"""Bytes of the JSON that is kept."""
MAX_PICTURE: Final = 12 << 20
"""Bytes of a key image as it is sent."""
MAX_KEY_IMAGES: Final = 60
_SIDE: Final = 2048
_QUALITY: Final = 90
_MAX_DEPTH: Final = 40

Uid = Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]
Caption = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)]


class AnnotationsTooLarge(OdontoError):
    code = "annotations_too_large"
    status = 413
    title = N_("There are more marks than can be kept. Remove some and save again.")


class TooManyKeyImages(StateConflict):
    code = "too_many_key_images"
    title = f"A report shows at most {MAX_KEY_IMAGES} key images. Remove one first."


class KeyImageSigned(StateConflict):
    code = "key_image_signed"
    title = N_(
        "A signed version of the report shows this image, so it stays. Take it out of the new version's text instead."
    )


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnnotationsBody(_Form):
    """The viewer's plain JSON."""

    annotations: list[dict[str, JsonValue]] = Field(max_length=5000)
    viewer_state: dict[str, JsonValue] = {}

    @field_validator("annotations", "viewer_state")
    @classmethod
    def _not_too_deep(cls, value: Any) -> Any:
        if _depth(value) > _MAX_DEPTH:
            raise ValueError("nested too deeply")
        # Python reads more than JSON has: what could not be sent back as it is must not be kept.
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
        return value


class Annotations(BaseModel):
    """``revision`` 0: nothing was saved yet."""

    annotations: list[dict[str, JsonValue]]
    viewer_state: dict[str, JsonValue]
    revision: int
    updated_at: datetime | None


class NewKeyImage(_Form):
    """``image`` is a data URL of a PNG or JPEG with the marks drawn in."""

    series_uid: Uid
    instance_uid: Uid
    frame: int = Field(1, ge=1, le=999_999)
    caption: Caption = ""
    image: str = Field(max_length=MAX_PICTURE * 4 // 3 + 64, validation_alias=AliasChoices("image", "png"))


class KeyImageEdit(_Form):
    caption: Caption


class KeyImageOrder(_Form):
    """All key images' ids in their new order."""

    ids: list[str] = Field(max_length=MAX_KEY_IMAGES)


class KeyImageView(BaseModel):
    id: str
    series_uid: str
    instance_uid: str
    frame: int
    caption: str
    position: int
    url: str
    thumbnail_url: str
    created_by: str
    created_at: datetime


def _depth(value: Any) -> int:
    """Without recursion: what is measured may be deeper than the interpreter's stack."""
    deepest, stack = 0, [(value, 1)]
    while stack:
        each, depth = stack.pop()
        deepest = max(deepest, depth)
        if depth > _MAX_DEPTH:
            break
        children = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        stack.extend((child, depth + 1) for child in children)
    return deepest


def read_annotations(session: Session, key: DataKey, case_id: str) -> Annotations:
    row = session.get(AnnotationSet, case_id)
    if row is None:
        return Annotations(annotations=[], viewer_state={}, revision=0, updated_at=None)
    content = cast(dict[str, Any], open_json(key, row.content, column_aad("annotation_set", case_id, "content")))
    return Annotations(**content, revision=row.revision, updated_at=row.updated_at)


def save_annotations(
    session: Session, key: DataKey, case_id: str, user_id: str, body: AnnotationsBody, *, revision: int
) -> Annotations | None:
    """Saves over ``revision`` (0: nothing was saved yet). None when somebody saved meanwhile. Raises AnnotationsTooLarge."""
    content = body.model_dump(mode="json")
    text = json.dumps(content["annotations"], sort_keys=True, separators=(",", ":"))
    if len(text) + len(json.dumps(content["viewer_state"])) > MAX_ANNOTATIONS:
        raise AnnotationsTooLarge()
    row = session.exec(select(AnnotationSet).where(AnnotationSet.case_id == case_id).with_for_update()).one_or_none()
    if (row.revision if row else 0) != revision:
        return None
    sealed = seal_json(key, content, column_aad("annotation_set", case_id, "content"))
    digest, moment = hashlib.sha256(text.encode()).hexdigest(), now()
    if row is None:
        row = AnnotationSet(
            case_id=case_id, content=sealed, content_hash=digest, revision=1, updated_by=user_id, updated_at=moment
        )
        session.add(row)
    else:
        row.content, row.content_hash, row.revision = sealed, digest, row.revision + 1
        row.updated_by, row.updated_at = user_id, moment
    session.flush()
    return Annotations(**content, revision=row.revision, updated_at=moment)


def redraw_key_image(parsers: ParserPool, data_url: str) -> bytes:
    """The picture of a data URL, drawn anew as JPEG within bounds by a confined reader. Raises InvalidInput."""
    head, _, encoded = data_url.partition(",")
    if head not in {"data:image/png;base64", "data:image/jpeg;base64"}:
        raise InvalidInput("The picture has to be a PNG or JPEG in a data URL.")
    try:
        picture = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("The picture's data URL is not whole.") from None
    try:
        return parsers.redraw(BytesSource(picture), max_side=_SIDE, quality=_QUALITY).image
    except FileProblem:
        raise InvalidInput("The picture cannot be read. Please take it again.") from None


def add_key_image(session: Session, images: CaseImages, user_id: str, new: NewKeyImage, picture: bytes) -> KeyImageView:
    """Raises NotFound when the instance is not this case's or not one that its taker may see, TooManyKeyImages."""
    found = session.exec(
        images.narrow(
            select(Instance, Series)
            .join(Series, col(Series.id) == col(Instance.series_id))
            .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
            .where(
                Instance.case_id == images.case.id,
                Series.series_uid == new.series_uid,
                Instance.sop_uid == new.instance_uid,
                StoredFile.state == FileState.READY,
            )
        )
    ).first()
    if found is None or new.frame > found[0].frames:
        raise NotFound()
    instance, series = found
    count, last = session.exec(
        select(func.count(), func.max(KeyImage.position)).where(KeyImage.case_id == images.case.id)
    ).one()
    if count >= MAX_KEY_IMAGES:
        raise TooManyKeyImages()
    row_id = new_id("ann")
    row = KeyImage(
        id=row_id,
        case_id=images.case.id,
        instance_id=instance.id,
        frame=new.frame,
        caption=seal_json(images.key, new.caption, column_aad("key_image", row_id, "caption")),
        image=seal(images.key, picture, column_aad("key_image", row_id, "image")),
        position=(last or 0) + 1,
        created_by=user_id,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    return _view(images.key, row, instance, series)


def key_images(session: Session, images: CaseImages) -> list[KeyImageView]:
    """In their order."""
    rows = session.exec(
        select(KeyImage, Instance, Series)
        .join(Instance, col(Instance.id) == col(KeyImage.instance_id))
        .join(Series, col(Series.id) == col(Instance.series_id))
        .where(KeyImage.case_id == images.case.id)
        .order_by(col(KeyImage.position), col(KeyImage.id))
    ).all()
    return [_view(images.key, row, instance, series) for row, instance, series in rows]


def need_key_image(session: Session, case_id: str, key_image_id: str) -> KeyImage:
    """A key image of this very case. Raises NotFound."""
    row = session.get(KeyImage, key_image_id)
    if row is None or row.case_id != case_id:
        raise NotFound()
    return row


def remove_key_image(session: Session, keys: KeyStore, case_id: str, key_image_id: str) -> None:
    """Raises NotFound, KeyImageSigned."""
    row = need_key_image(session, case_id, key_image_id)
    for report in signed_versions(session, keys, case_id):
        if any(image.image_id == key_image_id for image in report.content.key_images):
            raise KeyImageSigned()
    session.delete(row)


def picture_of(key: DataKey, row: KeyImage) -> bytes:
    """JPEG."""
    return open_sealed(key, row.image, column_aad("key_image", row.id, "image"))


def set_caption(key: DataKey, row: KeyImage, caption: str) -> None:
    row.caption = seal_json(key, caption, column_aad("key_image", row.id, "caption"))


def reorder(session: Session, case_id: str, ids: list[str]) -> None:
    """Raises InvalidInput unless the ids are exactly those that there are."""
    rows = {
        row.id: row for row in session.exec(select(KeyImage).where(KeyImage.case_id == case_id).with_for_update()).all()
    }
    if sorted(ids) != sorted(rows):
        raise InvalidInput("Name each of the case's key images once. Somebody may have changed them; load them again.")
    for position, row_id in enumerate(ids, 1):
        rows[row_id].position = position


def _view(key: DataKey, row: KeyImage, instance: Instance, series: Series) -> KeyImageView:
    url = f"/api/v1/cases/{row.case_id}/key-images/{row.id}/image"
    return KeyImageView(
        id=row.id,
        series_uid=series.series_uid,
        instance_uid=instance.sop_uid,
        frame=row.frame,
        caption=str(open_json(key, row.caption, column_aad("key_image", row.id, "caption"))),
        position=row.position,
        url=url,
        thumbnail_url=url,
        created_by=row.created_by,
        created_at=row.created_at,
    )
