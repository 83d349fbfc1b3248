"""DICOMweb at ``/dicomweb``: QIDO-RS, WADO-RS and STOW-RS (PS3.18 §10) over the images that a requester may see."""

from typing import Final

from fastapi import APIRouter

from api.routes.dicomweb import rendered, retrieve, search, store, uri

READING: Final = (retrieve.router, search.router, rendered.router, uri.router)
"""What only reads, without a prefix: to be served at another root, for another kind of requester, too."""

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])
for _part in (*READING, store.router):
    router.include_router(_part)
