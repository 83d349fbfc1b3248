"""The mark of a text that a person reads in their own language."""


def N_(message: str) -> str:  # noqa: N802 - the name that gettext's tools know
    """Marks a message for translation where it is declared; it is translated where it is shown."""
    return message
