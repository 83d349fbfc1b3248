"""The ``odontoflow`` command line. Only the module of the command that was asked for is imported."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

# Name → module with ``add_parser(subparsers)``, which sets the command's name and help, and ``run(args) -> int``.
# A module imports nothing heavy at its top: `odontoflow --help` reads them all.
COMMANDS: dict[str, str] = {
    "up": "worker.commands.up",
    "api": "worker.commands.api",
    "worker": "worker.commands.worker",
    "migrate": "worker.commands.migrate",
    "demo": "worker.commands.demo",
    "new-key": "worker.commands.new_key",
    "rotate-key": "worker.commands.rotate_key",
    "first-admin": "worker.commands.first_admin",
    "add-group": "worker.commands.add_group",
    "add-practice": "worker.commands.add_practice",
    "new-password": "worker.commands.new_password",
    "verify-audit": "worker.commands.verify_audit",
}
EXIT_USAGE = 2


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the use in one line, like every other refusal."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (`{self.prog} --help` shows the use)\n")


def build_parser(names: Sequence[str]) -> tuple[argparse.ArgumentParser, dict[str, ModuleType]]:
    """A parser that knows the named commands, and their modules."""
    parser = Parser(
        prog="odontoflow",
        description="Dental radiology report cases. Settings are environment variables, listed in docs/settings.md.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="command", required=True)
    modules = {name: importlib.import_module(COMMANDS[name]) for name in names}
    for module in modules.values():
        module.add_parser(subparsers)
    return parser, modules


def settings_problems(error: Exception) -> list[str] | None:
    """One line per wrong setting when ``error`` comes from reading the settings, else None. Values are not shown: some are secret."""
    kind = type(error)
    if kind.__module__.startswith("pydantic_settings"):
        return [str(error)]
    if kind.__name__ != "ValidationError" or getattr(error, "title", "") != "Settings":
        return None
    problems = error.errors(include_input=False, include_url=False)  # type: ignore[attr-defined] # pydantic's, not imported for the help's sake
    return [f"ODONTOFLOW_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in problems]


def known_failure(error: Exception) -> list[str] | None:
    """What to tell the person about a failure that has a sentence of its own, else None."""
    if "schemas.errors" in sys.modules and isinstance(error, sys.modules["schemas.errors"].OdontoError):
        return [error.detail]
    return settings_problems(error)


def is_wrong_input(error: Exception) -> bool:
    return isinstance(error, sys.modules["schemas.errors"].InvalidInput)


def execute(argv: Sequence[str]) -> int:
    """Runs one command. Returns its exit code: 0 done, 1 failed, 2 wrong use or settings."""
    wanted = [argv[0]] if argv and argv[0] in COMMANDS else list(COMMANDS)
    parser, modules = build_parser(wanted)
    args = parser.parse_args(argv)
    try:
        return int(modules[args.command].run(args))
    except Exception as error:
        lines = known_failure(error)
        if lines is None:
            raise
        for line in lines:
            sys.stderr.write(f"odontoflow: {line}\n")
        return EXIT_USAGE if settings_problems(error) or is_wrong_input(error) else 1


def leave(code: int) -> NoReturn:
    """Ends the process. With Temporal's bridge loaded, Python's own teardown can crash (temporalio/sdk-python#300)."""
    if "temporalio.bridge" not in sys.modules:
        sys.exit(code)
    if "logging" in sys.modules:
        sys.modules["logging"].shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> NoReturn:
    try:
        code = execute(sys.argv[1:])
    except SystemExit as stop:
        if isinstance(stop.code, str):
            sys.stderr.write(f"{stop.code}\n")
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        code = 130
    leave(code)
