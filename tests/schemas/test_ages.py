"""One age for all: the day before a birthday, the birthday, and a birthday that a year does not have."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.ages import age_by_year, age_on

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


def test_somebody_is_a_year_older_on_the_birthday_and_not_two_days_before() -> None:
    born = date(2016, 11, 26)
    assert age_on(born, date(2026, 11, 24)) == 9
    assert age_on(born, date(2026, 11, 25)) == 9
    assert age_on(born, date(2026, 11, 26)) == 10


def test_a_birthday_on_29_february_is_kept_on_1_march_of_a_common_year() -> None:
    assert age_on(date(2016, 2, 29), date(2026, 2, 28)) == 9
    assert age_on(date(2016, 2, 29), date(2026, 3, 1)) == 10
    assert age_on(date(2016, 2, 29), date(2024, 2, 29)) == 8


@given(born=DAYS, lived=st.integers(0, 40_000))
def test_the_year_of_birth_tells_the_age_or_one_more(born: date, lived: int) -> None:
    day = born + timedelta(days=lived)
    assert age_by_year(born.year, day) - age_on(born, day) in {0, 1}
