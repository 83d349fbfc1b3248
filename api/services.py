"""What every request shares: the wires of one API process."""

from dataclasses import dataclass

from fastapi import FastAPI
from temporalio.client import Client

from activities.documents.assembly import PdfStore
from activities.documents.process import PdfRenderer
from infra.blobs.opening import open_blobs
from infra.blobs.store import BlobStore
from infra.codec import data_converter
from infra.database import Database
from infra.feed import FeedTail
from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.mail import Mailer, make_mailer
from infra.passwords import Passwords
from infra.settings import Settings
from workflows.gateway import Gateway


@dataclass
class Services:
    settings: Settings
    database: Database
    keys: KeyStore
    blobs: BlobStore
    mailer: Mailer
    passwords: Passwords
    feed: FeedTail
    gateway: Gateway
    temporal: Client
    renderer: PdfRenderer
    pdfs: PdfStore


async def connect(settings: Settings) -> Services:
    """Opens everything. Temporal is connected lazily: pages that only read work while it is away."""
    database = Database.from_settings(settings)
    keys = KeyStore(database, load_master_keys(settings))
    client = await Client.connect(
        settings.temporal_target, namespace=settings.temporal_namespace, data_converter=data_converter(keys), lazy=True
    )
    renderer = PdfRenderer()
    return Services(
        settings=settings,
        database=database,
        keys=keys,
        blobs=open_blobs(settings, database),
        mailer=make_mailer(settings, database, keys),
        passwords=Passwords(settings),
        feed=FeedTail(database),
        gateway=Gateway(client, database, keys),
        temporal=client,
        renderer=renderer,
        pdfs=PdfStore(database, keys, renderer),
    )


def services_of(app: FastAPI) -> Services:
    services: Services = app.state.services
    return services
