"""What a reckoning has found."""

from dataclasses import dataclass, field


@dataclass
class Findings:
    """``wrong`` is empty when every promise held; the rest are figures."""

    wrong: list[str] = field(default_factory=list)
    quiet_after: float = 0.0
    effects: int = 0
    tried_again: int = 0
    """Effects whose first attempt did not finish."""
    mails: int = 0
    files: int = 0
    documents: int = 0
    histories: int = 0
    longest_history: int = 0
    """In events."""

    def expect(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            self.wrong.append(otherwise)
