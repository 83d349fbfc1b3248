"""The secret in a patient's link. It is derived, not stored: a mail that is sent again holds the same link."""

import base64
import hashlib
import hmac

from infra.codec import SYSTEM_KEY
from infra.keys import derive_key
from infra.keystore import KeyStore


def release_token(keys: KeyStore, grant_id: str) -> str:
    """192 bits as 32 URL-safe characters."""
    secret = derive_key(keys.key(SYSTEM_KEY), "release token")
    return base64.urlsafe_b64encode(hmac.digest(secret, grant_id.encode(), "sha256")[:24]).decode()


def token_hash(token: str) -> str:
    """SHA-256, under which a token of full entropy is looked up."""
    return hashlib.sha256(token.encode()).hexdigest()
