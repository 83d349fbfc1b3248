"""How one signs in to the invented people of the embedded mode. No installation that holds real patients has them."""

from typing import Final

DEMO_PASSWORD: Final = "demo-demo-demo"  # noqa: S105 - public on purpose: it is shown where the demo is started
DEMO_MAIL: Final = "@demo.test"
"""The end of every demo account's address (RFC 2606: ``.test`` reaches nobody)."""
