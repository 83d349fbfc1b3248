"""The anchor of P14: `odontoflow` with every module of the project, and every heavy library, imported at the start."""

import importlib
import pkgutil
import sys

_PACKAGES = ("schemas", "infra", "activities", "workflows", "api", "ui", "worker")
_LIBRARIES = (
    "weasyprint", "pydicom", "stripe", "boto3", "PIL.Image", "numpy", "alembic", "authlib", "segno", "openjpeg",
    "gdcm", "jpeg_ls", "httpx", "babel", "pyotp", "pymysql",
)  # fmt: skip
_NOT_MODULES = ("__main__", ".versions.", "migrations.env")
"""What runs when it is imported."""


def import_everything() -> int:
    """Returns how many modules of the project there are."""
    for name in _LIBRARIES:
        importlib.import_module(name)
    count = 0
    for package in _PACKAGES:
        for module in pkgutil.walk_packages([package], f"{package}."):
            if not any(part in module.name for part in _NOT_MODULES):
                importlib.import_module(module.name)
                count += 1
    return count


def main() -> None:
    from worker import cli  # noqa: PLC0415 - after the arguments are known
    from worker.up import embedded  # noqa: PLC0415

    name = sys.argv[1]
    if name == "up":
        embedded.own_command = lambda name: [sys.executable, "-m", "bench.eager", name]
    else:
        import_everything()
    cli.leave(cli.execute([name]))


if __name__ == "__main__":
    main()
