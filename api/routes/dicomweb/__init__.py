"""DICOMweb at ``/dicomweb``: QIDO-RS and WADO-RS (PS3.18 §10.4, §10.6) over the images that a requester may see."""

from typing import Final

from fastapi import APIRouter

from api.routes.dicomweb import rendered, retrieve, search

READING: Final = (search.router, retrieve.router, rendered.router)
"""What only reads, without a prefix: to be served at another root, for another kind of requester, too."""

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])
for _reading in READING:
    router.include_router(_reading)
