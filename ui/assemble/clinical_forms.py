"""The clinical form of a case, shown and filled in."""

from collections.abc import Mapping
from typing import Final

from schemas.clinical import (
    PREGNANCY_LABELS,
    PURPOSE_LABELS,
    REGION_LABELS,
    ClinicalForm,
    Pregnancy,
    pregnancy_matters,
)
from schemas.forms import Demographics
from schemas.sla import Priority, SlaPolicy
from schemas.teeth import DECIDUOUS_TEETH, PERMANENT_TEETH, Notation, show
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.views import FormState, NewCaseView, Option
from ui.views.forms import Value

_PRIORITY_WORDS: Final[Mapping[Priority, str]] = {
    Priority.ROUTINE: N_("Routine"),
    Priority.URGENT: N_("Urgent"),
    Priority.STAT: N_("Stat"),
}


def clinical_page(
    looker: Looker,
    form: FormState,
    *,
    heading: str,
    url: str,
    patient_id: str,
    person: Demographics,
    policy: SlaPolicy | None,
    cancel_url: str = "",
    conflict: str = "",
) -> NewCaseView:
    """``policy`` gives the priorities their promised times; None leaves the priority out: it is fixed already."""
    age = looker.age_on(person.birth_date)
    return NewCaseView(
        heading=looker.say(heading),
        url=url,
        patient=person.full_name,
        patient_url=f"/patients/{patient_id}",
        about=looker.say(N_("%(age)s years old"), age=age),
        form=form,
        purposes=tuple(Option(value=key, word=looker.say(word)) for key, word in PURPOSE_LABELS.items()),
        regions=tuple(Option(value=key, word=looker.say(word)) for key, word in REGION_LABELS.items()),
        priorities=_priorities(policy, looker) if policy else (),
        pregnancies=tuple(
            Option(value=key, word=looker.say(word))
            for key, word in PREGNANCY_LABELS.items()
            if key is not Pregnancy.NOT_APPLICABLE
        ),
        ask_pregnancy=pregnancy_matters(person.sex, age),
        tooth_labels=tooth_labels(looker.notation),
        cancel_url=cancel_url or f"/patients/{patient_id}",
        conflict=conflict,
    )


def _priorities(policy: SlaPolicy, looker: Looker) -> tuple[Option, ...]:
    options = []
    for priority, word in _PRIORITY_WORDS.items():
        target = policy.targets[priority]
        length = (
            looker.say(N_("%(hours)d h"), hours=target.minutes // 60)
            if target.minutes > 60
            else looker.say(N_("%(minutes)d min"), minutes=target.minutes)
        )
        hint = N_("Report within %(length)s of opening hours") if target.business else N_("Report within %(length)s")
        options.append(Option(value=priority, word=looker.say(word), hint=looker.say(hint, length=length)))
    return tuple(options)


def tooth_labels(notation: Notation) -> Mapping[str, str]:
    """FDI numbers to the reader's notation; empty where that is FDI."""
    if notation is Notation.FDI:
        return {}
    return {tooth.code: show(tooth, notation) for tooth in (*PERMANENT_TEETH, *DECIDUOUS_TEETH)}


def form_as_typed(form: ClinicalForm, *, priority: str, revision: int, nonce: str) -> FormState:
    """The form filled with what is saved."""
    values: dict[str, Value] = {
        "referrer": form.referrer,
        "copies_to": "\n".join(form.copies_to),
        "purpose": form.purpose or "",
        "clinical_question": form.clinical_question,
        "history": form.history,
        "teeth": list(form.teeth),
        "region": form.region or "",
        "site_note": form.site_note,
        "prior_images": form.prior_images,
        "pregnancy": form.pregnancy or "",
        "consent": "yes" if form.consent else "",
        "field_of_view_mm": f"{form.field_of_view_mm:g}" if form.field_of_view_mm else "",
        "priority": priority,
        "revision": str(revision),
    }
    return FormState(values=values, nonce=nonce)
