"""The idempotency key of one rendering of a form: the same rendering sent twice does one thing."""

import secrets


def new_nonce() -> str:
    return secrets.token_urlsafe(16)
