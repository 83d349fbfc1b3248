"""docs/settings.md lists every setting, as it is."""

from infra.settings import Settings
from scripts.settings_page import PAGE, page


def test_the_page_is_what_the_settings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make settings-page`"


def test_every_setting_says_what_it_does() -> None:
    silent = [name for name, field in Settings.model_fields.items() if not field.description]
    assert silent == []
