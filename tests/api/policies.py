"""The decided policies of all routes, as a page that a reviewer reads: ``policies.txt`` beside this file.

The questions of ``tests.api.kinds`` take a route's policy from the route itself. A route that names another one by mistake
would be asked by the wrong rule, and pass: so what each was decided to be is written down once more.

``python -m tests.api.policies`` writes the page anew, when a route was added or its policy was changed on purpose.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from infra.settings import Settings
from tests.api.routes import Route, routes_of
from ui.app import create_app

PAGE: Final = Path(__file__).with_name("policies.txt")


def decided() -> list[str]:
    return PAGE.read_text().splitlines()


def found(routes: Sequence[Route]) -> list[str]:
    return sorted(f"{route.path} {route.method}: {', '.join(sorted(route.policies))}" for route in routes)


if __name__ == "__main__":
    with TemporaryDirectory() as home:
        made = found(list(routes_of(create_app(Settings(home=Path(home))))))
    PAGE.write_text("\n".join(made) + "\n")
    sys.stdout.write(f"{len(made)} routes in {PAGE.name}; read the difference before you commit it\n")
