"""Key images of the demo's reports: a slice with an arrow drawn in, as the viewer makes them from a viewport."""

import io
from typing import Final

import numpy as np
import pydicom
from PIL import Image, ImageDraw
from sqlmodel import Session, col, select

from api.standing import CaseAccess
from infra.blobs.store import BlobStore
from infra.database import now
from infra.sealing import column_aad, seal, seal_json
from infra.stored_files import open_stored
from schemas.clinical import Purpose
from schemas.ids import new_id
from schemas.report_parts import KeyImage
from schemas.tables.imaging import Instance, Series, StoredFile
from schemas.tables.imaging import KeyImage as KeyImageRow

_CAPTIONS: Final = {
    Purpose.IMPLANT: "Edentulous site 36",
    Purpose.ENDODONTICS: "Periapical region of 36",
    Purpose.IMPACTION: "Impacted 38 and the mandibular canal",
}
_ARROW: Final = (255, 214, 10)
_SIDE: Final = 720


def add_key_images(session: Session, blobs: BlobStore, access: CaseAccess, purpose: Purpose) -> tuple[KeyImage, ...]:
    """One image of each of the first two series, from the middle; the references for the report."""
    series = session.exec(
        select(Series).where(Series.case_id == access.row.id).order_by(col(Series.series_uid)).limit(2)
    ).all()
    images = []
    for position, each in enumerate(series):
        instances = session.exec(
            select(Instance).where(Instance.series_id == each.id).order_by(col(Instance.number))
        ).all()
        instance = instances[len(instances) // 2]
        caption = _CAPTIONS.get(purpose, "Site of interest")
        image_id = new_id("ann")
        with open_stored(blobs, session.get_one(StoredFile, instance.file_id), access.key.secret) as reader:
            content = reader.read_at(0, reader.size)
        session.add(
            KeyImageRow(
                id=image_id,
                case_id=access.row.id,
                instance_id=instance.id,
                caption=seal_json(access.key, caption, column_aad("key_image", image_id, "caption")),
                image=seal(access.key, _drawn(content), column_aad("key_image", image_id, "image")),
                position=position,
                created_by=access.person.user_id,
                created_at=now(),
            )
        )
        images.append(KeyImage(image_id=image_id, caption=caption))
    return tuple(images)


def _drawn(content: bytes) -> bytes:
    """The image under its own window as JPEG, with an arrow to the site."""
    dataset = pydicom.dcmread(io.BytesIO(content))
    pixels = dataset.pixel_array.astype(np.float32)
    pixels = pixels * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
    low, high = np.percentile(pixels, (1, 99.7))
    grey = (np.clip((pixels - low) / max(high - low, 1.0), 0, 1) * 255).astype(np.uint8)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    picture = Image.fromarray(grey).convert("RGB")
    picture = picture.resize((_SIDE, round(_SIDE * picture.height / picture.width)), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    tip = (picture.width * 0.66, picture.height * 0.56)
    tail = (tip[0] + 90, tip[1] - 70)
    draw.line([tail, tip], fill=_ARROW, width=4)
    draw.polygon([tip, (tip[0] + 22, tip[1] - 6), (tip[0] + 10, tip[1] - 22)], fill=_ARROW)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()
