"""What the person reads when everything runs."""

from typing import TYPE_CHECKING

from infra.demo_accounts import DEMO_PASSWORD

if TYPE_CHECKING:
    from infra.settings import Settings

DEMO_ACCOUNTS = (
    ("dentist@demo.test", "dentist, practice A, its owner"),
    ("staff@demo.test", "staff of practice A"),
    ("dentist2@demo.test", "dentist, practice B, its owner"),
    ("radiologist@demo.test", "radiologist of the reading group"),
    ("radiologist2@demo.test", "radiologist, approves reports"),
    ("scheduler@demo.test", "scheduler of the reading group"),
    ("admin@demo.test", "administrator of the platform"),
)


def banner(settings: "Settings") -> list[str]:
    """Addresses and demo accounts, one line each."""
    lines = ["", "OdontoFlow runs on this machine.", "", f"  Web and API    {settings.base_url}"]
    lines.append(f"  API described  {settings.base_url}/openapi.json")
    if settings.smtp_url is None:
        lines.append(f"  Mailbox        {settings.base_url}/dev/mailbox")
    if settings.temporal_address:
        lines.append(f"  Temporal       {settings.temporal_target}")
    else:
        lines.append(
            f"  Temporal       {settings.temporal_target} · its UI http://127.0.0.1:{settings.temporal_ui_port}"
        )
    lines += [f"  Data and logs  {settings.home.resolve()}", "", f"  Demo accounts, password {DEMO_PASSWORD}"]
    lines += [f"    {email:<24}{who}" for email, who in DEMO_ACCOUNTS]
    return [*lines, "", "Ctrl-C stops everything."]
