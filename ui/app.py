"""The whole web application: the pages, with the API beside them."""

from typing import Final

from fastapi import FastAPI
from fastapi.routing import APIRouter

from api.app import create_app as create_api
from infra.settings import Settings, get_settings
from ui.pages import (
    account,
    admin,
    advanced_viewer,
    arrangement,
    cases,
    clinical_forms,
    links,
    mailbox,
    messages,
    notices,
    patient_documents,
    patients,
    portal,
    problems,
    reading,
    registrations,
    series,
    session,
    styleguide,
    users,
    worklists,
)
from ui.security_headers import SecurityHeaders
from ui.static_files import static_files

PAGES: Final[tuple[APIRouter, ...]] = (
    session.router,
    account.router,
    worklists.router,
    cases.router,
    reading.router,
    advanced_viewer.router,
    arrangement.router,
    series.router,
    links.router,
    messages.router,
    notices.router,
    patients.router,
    patient_documents.router,
    clinical_forms.router,
    portal.router,
    users.admin_router,
    users.practice_router,
    registrations.router,
    users.welcome_router,
    admin.router,
    mailbox.router,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    chosen = settings or get_settings()

    def configure(app: FastAPI) -> None:
        for router in PAGES:
            app.include_router(router, include_in_schema=False)
        if chosen.mode == "embedded":
            app.include_router(styleguide.router)
        app.mount("/static", static_files(), name="static")
        problems.install(app)
        portal.install(app)
        advanced_viewer.install(app)
        app.add_middleware(SecurityHeaders, https=chosen.base_url.startswith("https:"))

    return create_api(chosen, configure=configure)
