"""The secret in an invitation's link: derived, not stored, and signed over the account's present password hash.

Choosing a password ends every link that was sent before.
"""

import hashlib
import hmac
from datetime import datetime

from infra.codec import SYSTEM_KEY
from infra.keys import derive_key
from infra.keystore import KeyStore
from schemas.tables.people import User


def invitation_token(keys: KeyStore, user: User, until: datetime) -> str:
    """``user id.seconds.mac``; the seconds since 1970 until which it works are cut to whole ones."""
    secret = derive_key(keys.key(SYSTEM_KEY), "invitation")
    said = f"{user.id}.{int(until.timestamp())}"
    mac = hmac.new(secret, f"{said}\n{user.password_hash}".encode(), hashlib.sha256).hexdigest()
    return f"{said}.{mac[:48]}"
