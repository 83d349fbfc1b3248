"""The audit trail and a case's trace, in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from schemas.audit_forms import AuditFilter, AuditRowView, ChainView, TraceView, VerifiedChain
from schemas.lifecycle import Action, Role, State
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.assemble.people import ROLE_WORDS
from ui.assemble.timelines import ACTS as STEPS
from ui.templating import span
from ui.views import AuditRow, AuditView, Chip, FormState, state_chip
from ui.views.admin import (
    TraceCommandView,
    TraceEffectView,
    TraceFactView,
    TraceStepView,
)
from ui.views.admin import TraceView as TracePage

_ACTS: Final[Mapping[str, str]] = {
    "auth.sign_in": N_("Sign-in"),
    "auth.prove": N_("Typed the password for a step"),
    "auth.sign_out": N_("Signed out"),
    "auth.make_token": N_("Made an access token"),
    "auth.revoke_token": N_("Revoked an access token"),
    "case.edit_form": N_("Changed the clinical form"),
    "patient.create": N_("Added a patient"),
    "patient.edit": N_("Changed a patient's details"),
    "chat.post": N_("Wrote a message"),
    "chat.answer": N_("Marked a question as answered"),
    "file.store": N_("Uploaded a file"),
    "file.remove": N_("Removed a file"),
    "files.describe": N_("Described images or a file"),
    "files.move": N_("Moved images or a file"),
    "files.place": N_("Moved an image to another series"),
    "files.group": N_("Made or renamed a heading of files"),
    "files.ungroup": N_("Removed a heading of files"),
    "document.add": N_("Added a treatment document"),
    "document.rename": N_("Renamed a treatment document"),
    "document.remove": N_("Removed a treatment document"),
    "document.describe": N_("Described a treatment document"),
    "document.move": N_("Moved a treatment document"),
    "document.group": N_("Made or renamed a heading of treatment documents"),
    "document.ungroup": N_("Removed a heading of treatment documents"),
    "release.code_sent": N_("Asked for a code: it was mailed"),
    "release.code_not_sent": N_("Asked for a code: none was mailed"),
    "release.birth_date": N_("Gave a wrong date of birth"),
    "release.code": N_("Gave a wrong code"),
    "release.lock": N_("The link was locked"),
    "release.open": N_("Opened the report"),
    "release.download": N_("Downloaded the report"),
    "release.view_images": N_("Looked at the images"),
    "release.close": N_("Closed the report"),
    "release.hand_over_code": N_("Was given a code for the patient"),
    "user.invite": N_("Invited somebody"),
    "user.invite_again": N_("Invited somebody again"),
    "user.choose_password": N_("Chose a password"),
    "user.new_password": N_("Asked somebody to choose a new password"),
    "organization.add": N_("Added an organization"),
    "user.disable": N_("Disabled an account"),
    "user.enable": N_("Enabled an account"),
    "user.change_role": N_("Changed a role"),
    "user.registration.add": N_("Added a registration"),
    "user.registration.change": N_("Changed a registration"),
    "user.registration.remove": N_("Removed a registration"),
    "audit.read": N_("Read the audit trail"),
    "audit.verify": N_("Verified the audit trail"),
    "trace.read": N_("Read a trace"),
    "trace.open": N_("Opened a trace in Temporal"),
    "trace.decode": N_("Decoded a trace"),
}
_STEPS: Final = frozenset(action.value for action in Action)
_STATES: Final = frozenset(state.value for state in State)
_HIDDEN: Final = frozenset({"command", "seq"})
_EFFECTS: Final = {
    "notify": N_("Notice"),
    "render_pdf": N_("Render the PDF"),
    "mail_link": N_("Mail the patient's link"),
}
_FACTS: Final = {
    "start_case": N_("Start of the case"),
    "files_settled": N_("Files have arrived"),
    "late_files_settled": N_("Files have arrived"),
}
_OUTCOMES: Final = {
    "applied": Chip(icon="check", word=N_("Done"), tone="ok"),
    "refused": Chip(icon="stop", word=N_("Refused"), tone="bad"),
    "lapsed": Chip(icon="clock", word=N_("Lapsed"), tone="warn"),
    "received": Chip(icon="wait", word=N_("Under way"), tone="info"),
}
_DONE: Final = Chip(icon="check", word=N_("Done"), tone="ok")
_UNDER_WAY: Final = Chip(icon="wait", word=N_("Under way"), tone="info")
_DENIED: Final = Chip(icon="stop", word=N_("Refused"), tone="bad")


def act_words(act: str, looker: Looker) -> str:
    """What was done; the act's own name where there are no words for it."""
    if act in _ACTS:
        return looker.say(_ACTS[act])
    kind, _, name = act.partition(".")
    return looker.say(STEPS[Action(name)][0]) if kind == "case" and name in _STEPS else act


def audit_view(
    rows: Sequence[AuditRowView],
    chain: ChainView,
    wanted: AuditFilter,
    looker: Looker,
    *,
    next_url: str,
    shown: str = "",
    number: str = "",
    search: FormState | None = None,
) -> AuditView:
    """``shown`` says in words what the list is narrowed to; ``number`` is the case's."""
    breaks = chain.breaks if isinstance(chain, VerifiedChain) else []
    return AuditView(
        rows=tuple(_row(row, looker) for row in rows),
        chain=_chain(chain, looker),
        anchored=chain.anchored_at,
        breaks=tuple((each.where, each.what) for each in breaks[:20]),
        search=search or FormState(),
        next_url=next_url,
        case_number=number,
        filter=shown,
        trace_url=f"/admin/cases/{wanted.case_id}/trace" if wanted.case_id else "",
    )


def _chain(chain: ChainView, looker: Looker) -> Chip:
    acts = looker.say_many(N_("%(num)s act"), N_("%(num)s acts"), chain.sealed)
    if not isinstance(chain, VerifiedChain):
        return Chip(icon="link", word=N_("Chain"), tone="info", reason=acts)
    if chain.breaks:
        places = looker.say_many(N_("%(num)s place"), N_("%(num)s places"), len(chain.breaks))
        return Chip(icon="attention", word=N_("Chain broken"), tone="bad", reason=places)
    return Chip(icon="link", word=N_("Chain whole"), tone="ok", reason=acts)


def _row(row: AuditRowView, looker: Looker) -> AuditRow:
    patient = row.role == Role.PATIENT
    role = looker.say(ROLE_WORDS[Role(row.role)]) if row.role in ROLE_WORDS else ""
    return AuditRow(
        seq=row.id,
        when=row.at,
        who=looker.say(N_("Patient")) if patient else row.actor or looker.say(N_("Somebody unknown")),
        role=role,
        act=act_words(row.act, looker),
        outcome=_DENIED if row.outcome == "denied" else _DONE,
        case_number=row.case_number or "",
        case_url=f"/admin/audit?case_id={row.scope}" if row.case_number else "",
        detail=_detail(row, looker),
        link=(row.chain_hash or "")[:8],
    )


def _detail(row: AuditRowView, looker: Looker) -> str:
    parts = [row.subject] if row.subject and row.subject != row.actor else []
    moved = {"from", "to"} <= row.detail.keys() and row.detail["from"] != row.detail["to"]
    for name, value in row.detail.items():
        if name in _HIDDEN or name in {"from", "to"}:
            continue
        parts.append(f"{name}: {value}")
    if moved:
        parts.append(looker.say(N_("now %(state)s"), state=_state_word(row.detail["to"], looker)))
    return ", ".join(parts)


def _state_word(state: Any, looker: Looker) -> str:
    return looker.say(state_chip(State(state)).word).lower() if state in _STATES else str(state)


def trace_page(trace: TraceView, looker: Looker, *, decode_url: str) -> TracePage:
    """The Temporal link goes through this server, which records that it was opened."""
    return TracePage(
        number=trace.number,
        chip=state_chip(State(trace.state)),
        workflow_id=trace.workflow_id,
        steps=tuple(
            TraceStepView(
                seq=step.seq,
                what=looker.say(STEPS[Action(step.action)][0]),
                who=step.actor,
                chip=state_chip(State(step.to_state)),
                when=step.at,
                facts=", ".join(f"{name}={value}" for name, value in step.facts.items()),
            )
            for step in trace.steps
        ),
        commands=tuple(
            TraceCommandView(
                what=looker.say(STEPS[Action(command.action)][0]) if command.action in _STEPS else command.action,
                who=command.actor,
                outcome=_refused(command.refusal_code) or _OUTCOMES.get(command.outcome, _UNDER_WAY),
                received=command.received_at,
                took=_took(command.received_at, command.settled_at),
                seq=command.seq,
            )
            for command in trace.commands
        ),
        effects=tuple(
            TraceEffectView(
                what=_effect(effect.kind, effect.notice, looker),
                whom=effect.audience or "",
                fence=effect.fence,
                outcome=_DONE if effect.done_at else _UNDER_WAY,
                created=effect.created_at,
                took=_took(effect.created_at, effect.done_at),
                seq=effect.seq,
            )
            for effect in trace.effects
        ),
        facts=tuple(
            TraceFactView(
                what=looker.say(_FACTS.get(fact.kind, fact.kind)),
                attempts=fact.attempts,
                outcome=Chip(icon="check", word=N_("Told"), tone="ok") if fact.done_at else _UNDER_WAY,
                created=fact.created_at,
                took=_took(fact.created_at, fact.done_at),
            )
            for fact in trace.facts
        ),
        audit_url=f"/admin/audit?case_id={trace.case_id}",
        temporal_url=f"/admin/cases/{trace.case_id}/trace/temporal" if trace.temporal_url else "",
        decode_url=decode_url if trace.temporal_url else "",
    )


def _refused(code: str | None) -> Chip | None:
    return Chip(icon="stop", word=N_("Refused"), tone="bad", reason=code) if code else None


def _effect(kind: str, notice: str | None, looker: Looker) -> str:
    words = looker.say(_EFFECTS.get(kind, kind))
    if notice in _STEPS:
        return f"{words}: {looker.say(STEPS[Action(notice)][0])}"
    return words


def _took(start: datetime, end: datetime | None) -> str:
    """Milliseconds below ten seconds: what a trace is read for."""
    if end is None:
        return ""
    length = (end - start).total_seconds()
    return f"{round(length * 1000)} ms" if length < 10 else span(end - start) if length >= 60 else f"{length:.0f} s"
