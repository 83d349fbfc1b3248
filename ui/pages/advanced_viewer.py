"""The advanced viewer of a case: OHIF's own build over the DICOMweb service of this case alone.

The build is told where it stands by ``config.js`` beside the page, which names addresses and nothing of the patient. No
parameter of the page chooses another server.
"""

import json
from functools import lru_cache
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from api.case_images import PREFIX, case_images
from api.deps import ServicesDep
from api.imaging.access import images_of, root_of_case
from schemas.errors import OdontoError
from schemas.translation import N_
from ui.assemble.studies import study_uids
from ui.ohif_files import URL, OhifFiles
from ui.pages.answers import see_other
from ui.pages.reading import SeeImages
from ui.security_headers import CONTENT_SECURITY_POLICY

router: Final = APIRouter(prefix="/cases/{case_id}/advanced")

# Its menus and dialogs are drawn by style elements that its scripts make.
_POLICY: Final = CONTENT_SECURITY_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "font-src 'self'", "font-src 'self' data:"
)


class ViewerNotInstalled(OdontoError):
    code = "advanced_viewer_missing"
    status = 503
    title = N_("The advanced viewer is not installed on this server. The images are shown in the viewer of the case.")


@lru_cache(maxsize=1)
def ohif_files() -> OhifFiles:
    """The files of this process, read at first use."""
    return OhifFiles()


@router.get("")
def open_viewer(access: SeeImages, services: ServicesDep) -> Response:
    """To the page, with the studies of the case."""
    with services.database.read() as session:
        studies = study_uids(session, images_of(access))
    if not studies:
        return see_other(f"/cases/{access.row.id}/images")
    return see_other(f"/cases/{access.row.id}/advanced/viewer?StudyInstanceUIDs={','.join(studies)}")


@router.get("/viewer")
def show_viewer(request: Request, access: SeeImages) -> Response:
    """The page; whose images they are has been asked, and its scripts ask again for each of them."""
    files = ohif_files()
    if not files.is_there:
        raise ViewerNotInstalled()
    answer = files.file("index.html", request.headers, "private, no-cache")
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer


@router.get("/config.js")
def read_config(access: SeeImages) -> Response:
    """OHIF's configuration (docs.ohif.org, "Configuration Files")."""
    case_id = access.row.id
    text = json.dumps(_configuration(f"/cases/{case_id}/advanced", root_of_case(case_id)), indent=1)
    return Response(f"window.config = {text};\n", media_type="text/javascript", headers={"Cache-Control": "no-store"})


def install(app: FastAPI) -> None:
    app.mount(PREFIX, case_images(app), name="case images")
    app.mount(URL, ohif_files(), name="advanced viewer")


def _configuration(page: str, dicomweb: str) -> dict[str, object]:
    source = {
        "friendlyName": "OdontoFlow",
        "name": "case",
        "qidoRoot": dicomweb,
        "wadoRoot": dicomweb,
        "wadoUriRoot": dicomweb,
        "qidoSupportsIncludeField": True,
        "supportsFuzzyMatching": False,
        "supportsWildcard": False,
        "supportsReject": False,
        "imageRendering": "wadors",
        "thumbnailRendering": "wadors",
        "enableStudyLazyLoad": True,
        "singlepart": "bulkdata,video,pdf",
        "bulkDataURI": {"enabled": True, "relativeResolution": "studies"},
        "omitQuotationForMultipartRequest": True,
    }
    return {
        "routerBasename": page,
        "extensions": [],
        "modes": [],
        "showStudyList": False,
        "dangerouslyUseDynamicConfig": {"enabled": False},
        # The tour hides the images of who comes here for the first time; other studies of a patient are other cases.
        "customizationService": [{"ohif.tours": {"$set": []}}, {"studyBrowser.studyMode": {"$set": "primary"}}],
        "investigationalUseDialog": {"option": "never"},
        "maxNumberOfWebWorkers": 3,
        "showLoadingIndicator": True,
        "showWarningMessageForCrossOrigin": False,
        "strictZSpacingForVolumeViewport": True,
        "defaultDataSourceName": "case",
        "dataSources": [
            {
                "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
                "sourceName": "case",
                "configuration": source,
            }
        ],
    }
