"""What finding a peer may end with."""


class NotHere(Exception):
    """A peer is not on this machine; the words say what to do. Its figures are not measured then, which is no pass."""
