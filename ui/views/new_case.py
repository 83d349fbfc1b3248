"""The clinical form of a case as a page (schemas/clinical.py)."""

from collections.abc import Mapping
from dataclasses import dataclass

from ui.views.forms import FormState, Option


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCaseView:
    """New case or edited draft. Fields are named as in ``ClinicalForm``, and ``priority``. ``tooth_labels`` maps FDI numbers
    to the reader's notation (a number that is missing is shown as FDI). ``url`` takes the POST; ``conflict``
    says that somebody else saved meanwhile.
    """

    heading: str
    url: str
    patient: str
    patient_url: str
    about: str
    form: FormState
    purposes: tuple[Option, ...]
    regions: tuple[Option, ...]
    priorities: tuple[Option, ...]
    pregnancies: tuple[Option, ...] = ()
    ask_pregnancy: bool = False
    tooth_labels: Mapping[str, str]
    cancel_url: str = ""
    conflict: str = ""
