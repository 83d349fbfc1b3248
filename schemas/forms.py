"""What the API accepts and answers. Every input model forbids unknown fields.

An action's form has two sides: :meth:`ActionForm.facts`, the ids and choices that the case's workflow sees, and
:meth:`ActionForm.stored`, everything else that is kept sealed under the command's id. Passwords are in neither.
"""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, computed_field

from schemas.clinical import ClinicalForm, Sex
from schemas.lifecycle import Action
from schemas.messages import CommandFacts
from schemas.report import ReportContent
from schemas.sla import AmendmentKind, Priority

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
OptionalText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z]+_[0-9a-f]{8,60}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-](?:[.]?[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]){0,63}"
_LABEL: Final = r"[^\W_](?:[\w-]*[^\W_])"
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        max_length=254,
        pattern=rf"^{_LOCAL}@(?:{_LABEL}?[.])+{_LABEL}$",
    ),
]
"""An address that mail can be sent to; whether somebody reads it, only a mail can tell."""
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ActionForm(Form):
    """Base of the forms of a case's actions; by itself the form of an action that needs nothing."""

    never_stored: ClassVar[frozenset[str]] = frozenset({"password"})

    def facts(self) -> CommandFacts:
        """Ids and choices for the workflow."""
        visible = {name: value for name, value in self if name in CommandFacts.model_fields}
        return CommandFacts(**visible)

    def stored(self) -> dict[str, Any]:
        """What is kept: all but secrets, as JSON values."""
        return self.model_dump(mode="json", exclude=set(self.never_stored))


class ReasonForm(ActionForm):
    reason: Text = Field(description="Why; the other side reads it.")


class CancelForm(ActionForm):
    reason: OptionalText = ""


class AssignForm(ActionForm):
    radiologist_id: Id


class ApproverForm(ActionForm):
    approver_id: Id


class QuestionForm(ActionForm):
    text: Text = Field(description="What the practice should add or answer.")


class AnswerForm(ActionForm):
    text: Text = Field(description="The practice's answer. New images are those uploaded since the question.")


class FreshForm(ActionForm):
    """``password`` proves the person anew; it is checked and forgotten."""

    password: SecretStr = Field(min_length=1, max_length=1024)


class SignForm(FreshForm):
    draft_hash: Hash = Field(
        description="Hash of the draft that the signer read: ``X-Draft-Hash`` of its reading, ``draft_hash`` of its saving."
    )

    image_set: int | None = Field(
        None, ge=1, description="The newest image set that the signer has seen; newer images refuse the signature."
    )


class KeepReportForm(FreshForm):
    """The report stands as it is over the images that were added after its signature."""

    image_set: int = Field(ge=1, description="The newest image set that the signer has seen.")


class SubmitForApprovalForm(SignForm):
    approver_id: Id


class RevokeForm(ActionForm):
    grant_id: Id


class AmendForm(ActionForm):
    kind: AmendmentKind
    reason: Text

    def facts(self) -> CommandFacts:
        return CommandFacts(amendment_kind=self.kind)


class WithdrawReportForm(FreshForm):
    reason: Text


ACTION_FORMS: Final[dict[Action, type[ActionForm]]] = {
    Action.SUBMIT: ActionForm,
    Action.RESUBMIT: ActionForm,
    Action.CONFIRM_IDENTITY: ReasonForm,
    Action.AGREE_IDENTITY: ActionForm,
    Action.REFUSE_IDENTITY: ReasonForm,
    Action.RETRY_BILLING: ActionForm,
    Action.ASSIGN: AssignForm,
    Action.REASSIGN: AssignForm,
    Action.CLAIM: ActionForm,
    Action.ACCEPT: ActionForm,
    Action.DECLINE: ReasonForm,
    Action.REQUEST_MODIFICATION: QuestionForm,
    Action.WITHDRAW_MODIFICATION: ActionForm,
    Action.ANSWER_MODIFICATION: AnswerForm,
    Action.ADD_IMAGES: ActionForm,
    Action.REMOVE_LATE_IMAGES: ActionForm,
    Action.KEEP_REPORT: KeepReportForm,
    Action.SUBMIT_FOR_APPROVAL: SubmitForApprovalForm,
    Action.NAME_APPROVER: ApproverForm,
    Action.APPROVE: SignForm,
    Action.RETURN_TO_AUTHOR: ReasonForm,
    Action.SIGN: SignForm,
    Action.REJECT: ReasonForm,
    Action.RELEASE: ActionForm,
    Action.REVOKE_RELEASE: RevokeForm,
    Action.REQUEST_AMENDMENT: ReasonForm,
    Action.WITHDRAW_AMENDMENT_REQUEST: ActionForm,
    Action.DECLINE_AMENDMENT: ReasonForm,
    Action.AMEND: AmendForm,
    Action.DISCARD_AMENDMENT: ActionForm,
    Action.ENTER_IN_ERROR: WithdrawReportForm,
    Action.CANCEL: CancelForm,
    Action.REOPEN: ReasonForm,
}


class ReportDraftBody(Form):
    """The draft as it is saved. ``addendum`` is written while an ``appended`` amendment is under way."""

    content: ReportContent
    addendum: Annotated[str, StringConstraints(max_length=20_000)] = ""


class Demographics(Form):
    """A patient as the practice knows them. PHI: stored sealed under the patient's key."""

    family_name: Name
    given_name: Name
    birth_date: date
    sex: Sex = Sex.UNKNOWN
    patient_number: Annotated[str, StringConstraints(max_length=64)] = Field(
        "", description="The practice's own number; compared with DICOM PatientID."
    )
    issuer: Annotated[str, StringConstraints(max_length=64)] = Field(
        "", description="Issuer of Patient ID (0010,0021)."
    )
    email: Email | None = None
    phone: Annotated[str, StringConstraints(max_length=40)] = ""
    address: Annotated[str, StringConstraints(max_length=300)] = ""
    notes: Annotated[str, StringConstraints(max_length=2000)] = ""

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}"


class NewCase(Form):
    patient_id: Id
    priority: Priority = Priority.ROUTINE
    form: ClinicalForm = ClinicalForm()


class CaseFormEdit(Form):
    priority: Priority | None = None
    form: ClinicalForm


class CaseSearch(Form):
    """Search by name: in a body, so that no name is in an address or a log."""

    name: Annotated[str, StringConstraints(max_length=100)] = ""
    birth_date: date | None = None
    cursor: str | None = Field(None, max_length=200)
    limit: int = Field(50, ge=1, le=200)


class NewMessage(Form):
    body: Text
    asks: bool = Field(False, description="A question to the other side; the report cannot be signed while it is open.")


class TokenRequest(Form):
    email: Annotated[str, StringConstraints(max_length=254)]
    password: SecretStr = Field(max_length=1024)
    otp: str | None = Field(None, max_length=16)


class Page(BaseModel):
    """Every list answers so; ``next`` is the cursor of the following page or null."""

    items: list[Any]
    next: str | None = None


class ClockView(BaseModel):
    """Minutes count in the target's kind (real or business)."""

    target_minutes: int
    business: bool
    running: bool
    cause: str | None
    elapsed_minutes: float
    remaining_minutes: float
    due_at: datetime | None
    minutes_by_cause: dict[str, float]
    thresholds_reached: list[str]


class WaitView(BaseModel):
    owner: str
    reason: str
    sentence: str
    since: datetime
    until: datetime | None
    then: str


class PersonView(BaseModel):
    id: str
    name: str


class PatientView(BaseModel):
    id: str
    revision: int
    demographics: Demographics
    created_at: datetime


class CaseRowView(BaseModel):
    """A worklist row. ``patient`` is null for those who may not know it (the pool, the administrator)."""

    id: str
    number: str
    state: str
    priority: str
    purpose: str | None
    region: str | None
    patient_name: str | None
    patient_age: int | None
    patient_sex: str | None
    practice: str
    assignee: PersonView | None
    wait: WaitView
    clock: ClockView
    created_at: datetime
    updated_at: datetime


class CaseView(CaseRowView):
    """``image_set`` is the newest set of the case, ``verified_set`` the newest that readers see: what ``keep_report`` names.
    ``late_images`` says where the check of images that came after the signature stands; null when there are none.
    """

    seq: int
    version: int
    practice_id: str
    patient: PatientView | None
    form: ClinicalForm | None
    approver: PersonView | None
    allowed_actions: list[str]
    grants: list[dict[str, Any]]
    amendment: dict[str, Any] | None
    image_set: int
    verified_set: int
    late_images: dict[str, Any] | None
    identity: dict[str, Any] | None
    open_questions: int


class TimelineEntry(BaseModel):
    seq: int
    action: str
    from_state: str
    to_state: str
    actor: str
    role: str
    at: datetime
    text: str | None = None


class CommandView(BaseModel):
    """The answer 202 and of ``GET /api/v1/commands/{id}``: ``received`` means that the outcome is not known yet."""

    command_id: str
    case_id: str
    action: str
    outcome: str
    seq: int | None = None
    code: str | None = None
    detail: str | None = None


class MessageView(BaseModel):
    id: str
    author: PersonView
    role: str
    body: str
    asks: bool
    answered_at: datetime | None
    created_at: datetime


class GrantView(BaseModel):
    """A release link of a case. ``state``: live, revoked, expired or locked."""

    id: str
    state: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    first_opened_at: datetime | None


class HandedCode(BaseModel):
    """A one-time code for the practice to read out; it is not shown again. ``link`` is where it is typed."""

    link: str
    code: str
    expires_at: datetime


class Missing(BaseModel):
    """Something that a signature still needs: the field's path in the draft, and a sentence.

    ``message`` and ``label`` are its translatable parts; ``%(label)s`` stands for the label.
    """

    field: str
    message: str
    label: str = ""

    @computed_field  # type: ignore[prop-decorator] # mypy takes no decorator above a property
    @property
    def sentence(self) -> str:
        """In the source language."""
        return self.message.replace("%(label)s", self.label)


class DraftSaved(BaseModel):
    """``missing`` is empty when the draft may be signed. ``draft_hash`` is what a signature of it names."""

    revision: int
    draft_hash: str
    missing: list[Missing]
