"""What the forms take."""

import pytest
from pydantic import ValidationError

from schemas.organization_forms import Account


@pytest.mark.parametrize(
    "typed",
    [
        "anna@demo.test",
        " Anna.O'Neil+x-ray@Praxis-Muster.example ",
        "a@b.ch",
        "anna@zähne.example",
        "a_b@xn--zhne-loa.ch",
    ],
)
def test_an_address_is_taken_and_folded(typed: str) -> None:
    assert Account(email=typed).email == typed.strip().lower()


@pytest.mark.parametrize(
    "typed",
    [
        "anna", "anna@demo", "@demo.test", "anna@", "anna@@demo.test", "an na@demo.test", "anna@demo..test",
        "anna@.demo.test", "anna@-demo.test", "anna@demo-.test", "anna@demo.test.", ".anna@demo.test",
        "anna.@demo.test", "an..na@demo.test", "anna@demo,test.example", "anna@demo.test,eva@demo.test",
        "<anna@demo.test>", "Anna <anna@demo.test>", "anna\n@demo.test", "anna@demo.test\nBcc: eva@demo.test",
        "zähne@demo.test", "a" * 65 + "@demo.test", "anna@demo.t",
    ],
)  # fmt: skip
def test_what_no_mail_could_be_sent_to_is_not(typed: str) -> None:
    with pytest.raises(ValidationError):
        Account(email=typed)
