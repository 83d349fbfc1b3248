"""SQLModel tables, one noun a file. Importing this package registers all of them on ``SQLModel.metadata``."""

from schemas.tables import arrangement, blob_leases, case, documents, imaging, mail, people, release, report, wires

__all__ = ["arrangement", "blob_leases", "case", "documents", "imaging", "mail", "people", "release", "report", "wires"]
