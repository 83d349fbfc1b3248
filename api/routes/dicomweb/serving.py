"""What the routes of DICOMweb share: their errors, their headers, and the way from an address to what it names."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from api.deps import ServicesDep
from api.errors import field_errors, invalid
from api.imaging import media
from api.imaging.access import ImageAccess, ImageAccessDep
from api.imaging.lookup import FoundInstance, FoundStudy, Listed, instances, listing, studies
from api.imaging.parsers import ParsersDep, parsers_of
from api.imaging.pixels import Pictures
from api.services import Services
from schemas.errors import InvalidInput, NotFound

PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}

Uid = Annotated[str, Path(pattern=r"^[0-9.]{1,64}$")]
Endpoint = Callable[..., Any]
_BAD_REQUEST: Final = 400


class DicomwebRoute(APIRoute):
    """A route with the statuses of the standard: 400 for a request that cannot be understood (PS3.18 table 8.5-1), and
    no body for HEAD."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_as_the_standard_says(request: Request) -> Response:
            try:
                answer = await handle(request)
            except RequestValidationError as error:
                fact = invalid(field_errors(error))
                fact.status = _BAD_REQUEST
                raise fact from None
            except InvalidInput as fact:
                fact.status = _BAD_REQUEST
                raise
            if request.method != "HEAD":
                return answer
            headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
            length = answer.headers.get("content-length")
            return Response(
                status_code=answer.status_code, headers=headers | ({"Content-Length": length} if length else {})
            )

        return handle_as_the_standard_says


def readable(router: APIRouter, path: str) -> Callable[[Endpoint], Endpoint]:
    """Registers an endpoint for GET and HEAD; the description of the API names it once."""

    def register(endpoint: Endpoint) -> Endpoint:
        router.head(path, include_in_schema=False)(endpoint)
        router.get(path, response_class=Response)(endpoint)
        return endpoint

    return register


def private(content_type: str, etag: str | None = None) -> dict[str, str]:
    """Headers of an answer that is the requester's alone."""
    return PRIVATE | {"Content-Type": content_type} | ({"ETag": etag} if etag else {})


async def get_pictures(services: ServicesDep, parsers: ParsersDep) -> Pictures:
    return Pictures(services.database, services.blobs, parsers)


PicturesDep = Annotated[Pictures, Depends(get_pictures)]
Found = TypeVar("Found")
Find = Callable[..., Sequence[Found]]
"""What there is of a study (in a session), of a series in it, of an instance in that."""


@dataclass(frozen=True)
class Retrieval:
    """What a request's address names, and who asks for it. ``uids``: of a study, of a series in it, of an instance in that,
    as far as the address goes."""

    request: Request
    access: ImageAccess
    services: Services
    uids: tuple[str, ...]

    @property
    def pictures(self) -> Pictures:
        return Pictures(self.services.database, self.services.blobs, parsers_of(self.request.app))

    def instances(self) -> Sequence[FoundInstance]:
        """All of it that the requester may see, at least one. Blocking. Raises NotFound."""
        return self._of_newest(instances)

    def listing(self) -> Sequence[Listed]:
        """The same as a list of what there is, of the newest case that has any. Blocking. Raises NotFound."""
        return self._of_newest(listing)

    def one_of(self, listed: Listed) -> FoundInstance:
        """An instance of the listing. Blocking. Raises NotFound."""
        return replace(self, uids=listed.uids).instance()

    def _of_newest(self, find: Find[Found]) -> Sequence[Found]:
        study_uid, *within = self.uids
        for study in self.access.remembered(f"study {study_uid}", partial(self._studies, study_uid)):
            with self.services.database.read() as session:
                found = find(session, study, *within)
            if found:
                return found
        raise NotFound()

    def _studies(self, study_uid: str) -> Sequence[FoundStudy]:
        with self.services.database.read() as session:
            return list(studies(session, self.access, study_uid))

    def instance(self) -> FoundInstance:
        """The one that was named, or the first. Blocking. Raises NotFound."""
        return self.instances()[0]

    def check_again(self) -> None:
        """While the answer is under way: raises when the requester may not have it any more. Blocking."""
        replace(self, access=self.access.again()).instances()


# One dependency each, of which none asks another: a viewer asks them for every frame.
async def of_study(study: Uid, request: Request, access: ImageAccessDep, services: ServicesDep) -> Retrieval:
    return Retrieval(request, access, services, (study,))


async def of_series(
    study: Uid, series: Uid, request: Request, access: ImageAccessDep, services: ServicesDep
) -> Retrieval:
    return Retrieval(request, access, services, (study, series))


async def of_instance(
    study: Uid, series: Uid, instance: Uid, request: Request, access: ImageAccessDep, services: ServicesDep
) -> Retrieval:
    return Retrieval(request, access, services, (study, series, instance))


OfStudy = Annotated[Retrieval, Depends(of_study)]
OfSeries = Annotated[Retrieval, Depends(of_series)]
OfInstance = Annotated[Retrieval, Depends(of_instance)]


def root_of(request: Request) -> str:
    """The absolute address of the DICOMweb root that was asked: a case's own is mounted whole, a patient's below the link."""
    root = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}".rstrip("/")
    return root if root.endswith("/dicomweb") else f"{root}/dicomweb"


def need_json(request: Request) -> None:
    """Raises NotAcceptable for a client that takes no DICOM JSON."""
    if not media.accepts(media.accept_of(request), media.JSON, "application/json"):
        raise media.NotAcceptable()
