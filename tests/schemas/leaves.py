"""Every single thing that a JSON value says, and the value with just that said otherwise."""

from collections.abc import Iterator
from typing import Any


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Places of everything that is written in a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if children is None:
        yield path
        return
    for name, child in children:
        yield from leaves(child, (*path, name))


def altered(value: Any, path: tuple[str | int, ...]) -> Any:
    """A copy in which the leaf at the path is another one."""
    if not path:
        return f"not {value}"
    if isinstance(value, list):
        return [altered(child, path[1:]) if index == path[0] else child for index, child in enumerate(value)]
    return {name: altered(child, path[1:]) if name == path[0] else child for name, child in value.items()}
