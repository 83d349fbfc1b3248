"""Passwords: argon2id at OWASP's parameters (Password Storage Cheat Sheet), set by the installation."""

import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from infra.settings import Settings

AT_ONCE: Final = 2
"""Hashes computed at a time: each costs 46 ms and 19 MiB, and a burst of sign-ins must not starve the pages."""


class Passwords:
    """Hashes and verifies. Blocking."""

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time_cost, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        self._gate = threading.BoundedSemaphore(AT_ONCE)
        self._nobodys = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        with self._gate:
            return self._hasher.hash(password)

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is right. For an unknown account give None: it takes as long, and is never right."""
        with self._gate:
            try:
                return self._hasher.verify(stored or self._nobodys, password) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def needs_rehash(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)
