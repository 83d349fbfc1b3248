"""The age of a patient, for every page, list and rule the same."""

from datetime import date


def age_on(born: date, day: date) -> int:
    """Whole years. Somebody born on 29 February is a year older on 1 March of a common year."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def age_by_year(birth_year: int, day: date) -> int:
    """Years since the year of birth: for those who may not know the day, and so up to one too many."""
    return day.year - birth_year
