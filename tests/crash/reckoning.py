"""The record of an installation after a campaign, held against what people were told (SAFETY.md: promises, invariants)."""

import asyncio
import time
from collections import Counter
from typing import Any, Final

from sqlmodel import Session, col, func, select
from temporalio.client import Client
from temporalio.worker import Replayer

from activities.records.commands import APPLIED
from activities.records.signing import opened_version
from infra.audit import verify_audit
from infra.codec import SYSTEM_KEY, data_converter
from infra.database import Database
from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.mail import stable_message_id
from infra.sealing import column_aad, open_json
from infra.settings import Settings
from schemas.ids import case_workflow_id
from schemas.lifecycle import Action, is_open
from schemas.mail import MailOutcome
from schemas.state import EffectKind
from schemas.tables.case import Case, CaseCommand, CaseTransition, Message
from schemas.tables.mail import OutgoingMail
from schemas.tables.people import Patient
from schemas.tables.release import MailboxMessage, ReleaseGrant
from schemas.tables.report import ReportPdf, ReportVersion
from schemas.tables.wires import EffectRow, FeedEvent, Notification
from tests.crash.findings import Findings
from tests.crash.keeping import Keeping
from tests.crash.ledger import Ledger, LifeStory
from tests.crash.quiet import wait_until_quiet
from tests.workflows.engine import Documents, Imaging, LiveCase, Practice, quiet
from tests.workflows.retelling import retell
from tests.world import World
from workflows.case import CaseWorkflow
from workflows.gateway import Gateway
from workflows.runner import unsandboxed

_KEPT: Final = "Images were added after the signature."


async def reckon(settings: Settings, ledger: Ledger) -> Findings:
    """Waits until nothing is under way any more, and looks at everything."""
    database = Database.from_settings(settings)
    try:
        keys = KeyStore(database, load_master_keys(settings))
        client = await Client.connect(settings.temporal_target, data_converter=data_converter(keys))
        practice = Practice(client, World(database, keys), Gateway(client, database, keys), Imaging(), Documents())
        return await Reckoning(settings, ledger, practice).findings_of_all()
    finally:
        database.close()


class Reckoning:
    def __init__(self, settings: Settings, ledger: Ledger, practice: Practice) -> None:
        self._settings = settings
        self._ledger = ledger
        self._practice = practice
        self._database, self._keys = practice.world.database, practice.world.keys
        self._found = Findings()
        self._keeping = Keeping(settings.blob_folder, self._keys, self._found)

    async def findings_of_all(self) -> Findings:
        begun = time.monotonic()
        pending = await wait_until_quiet(self._database, self._practice.client, self._ledger.stories)
        self._found.wrong += [f"still pending: {text}" for text in pending]
        self._found.quiet_after = time.monotonic() - begun
        for story in self._ledger.stories:
            await asyncio.to_thread(self._check_case, story)
            await self._check_workflow(story)
        await self._check_workflows()
        await asyncio.to_thread(self._check_whole)
        return self._found

    def _check_whole(self) -> None:
        """What is one for all cases: commands, mails, feed, audit, and that nothing is there that nobody asked for."""
        with self._database.read() as session:
            self._check_commands(session)
            self._check_mails(session)
            self._keeping.check_blobs(session)
            for what, table in (("patients", Patient), ("cases", Case)):
                count = session.exec(select(func.count()).select_from(table)).one()
                self._found.expect(count == len(self._ledger.stories), f"{count} {what}")
            count, last = session.exec(select(func.count(), func.max(FeedEvent.id))).one()
            self._found.expect(count == last, f"the feed has {count} events, and its last is {last}")
        self._found.wrong += [
            f"audit, {each.where}: {each.what}" for each in verify_audit(self._database, self._settings.anchor_file)
        ]

    def _check_commands(self, session: Session) -> None:
        """Every acknowledged command is there exactly once; what was said to be undone is not (invariant 3)."""
        steps = Counter(session.exec(select(CaseTransition.command_id)).all())
        rows = {row.id: row for row in session.exec(select(CaseCommand)).all()}
        for told in self._ledger.applied:
            row = rows.get(told.command_id)
            is_known = row is not None and (row.case_id, row.action, row.outcome) == (
                told.case_id,
                told.action,
                APPLIED,
            )
            self._found.expect(is_known, f"{told.action} of {told.case_id} was acknowledged and is not recorded")
            times = steps[told.command_id]
            wanted = 0 if told.action is Action.CREATE else 1
            self._found.expect(times == wanted, f"{told.action} of {told.case_id} is in the timeline {times} times")
        for command_id in self._ledger.undone:
            self._found.expect(not steps[command_id], f"{command_id} was said not to have been taken, and was")
        told_of = {told.command_id for told in self._ledger.applied}
        by_people = session.exec(select(CaseTransition.command_id).where(CaseTransition.actor_relation != "system"))
        for command_id in by_people.all():
            self._found.expect(command_id in told_of, f"{command_id} was taken and nobody was told")

    def _check_mails(self, session: Session) -> None:
        """One mail a notice and one a link, and no other; each told once (invariant 13, DECISIONS 10).

        A link that was withdrawn before its mail could be sent is not sent any more.
        """
        notices = session.exec(select(Notification.effect_key, Notification.user_id)).all()
        links = session.exec(select(EffectRow.key).where(EffectRow.kind == EffectKind.MAIL_LINK)).all()
        dropped = session.exec(
            select(OutgoingMail.message_id, OutgoingMail.case_id)
            .join(ReleaseGrant, col(ReleaseGrant.id) == col(OutgoingMail.grant_id))
            .where(OutgoingMail.outcome == MailOutcome.DROPPED, ReleaseGrant.state != "live")
        ).all()
        wanted = Counter([*(stable_message_id(*notice) for notice in notices), *map(stable_message_id, links)])
        wanted -= Counter(message_id for message_id, _ in dropped)
        mails = session.exec(select(MailboxMessage)).all()
        sent = Counter(mail.message_id for mail in mails)
        self._found.mails = len(mails)
        self._found.expect(not sent - wanted, f"{(sent - wanted).total()} mails too many")
        lost = wanted - sent
        ends = session.exec(
            select(OutgoingMail.kind, OutgoingMail.outcome).where(col(OutgoingMail.message_id).in_(lost))
        ).all()
        self._found.expect(not lost, f"{lost.total()} mails too few; they ended as {[tuple(end) for end in ends]}")
        to_patients: Counter[str] = Counter()
        for mail in mails:
            place = column_aad("mailbox_message", mail.id, "content")
            content: Any = open_json(self._keys.data_key(SYSTEM_KEY), mail.content, place)
            to_patients[content["to"]] += 1
        unsent = Counter(case_id for _, case_id in dropped)
        for story in self._ledger.stories:
            wanted_times = story.actions.count(Action.RELEASE) - unsent[story.case_id]
            times = to_patients[story.patient_email]
            self._found.expect(
                times == wanted_times, f"the patient of {story.case_id} got {times} mails, not {wanted_times}"
            )

    def _check_case(self, story: LifeStory) -> None:
        case = LiveCase(self._practice, story.case_id)
        try:
            self._check_timeline(story, case)
            retell(case)
        except AssertionError as wrong:
            self._found.wrong.append(f"{story.case_id}: {wrong}")
        with self._database.read() as session:
            self._check_effects(session, story)
            self._check_reports(session, story)
            self._keeping.check_files(session, story)
            self._keeping.check_documents(session, story)
            self._check_chat(session, story)

    def _check_timeline(self, story: LifeStory, case: LiveCase) -> None:
        """Invariants 2, 4 and 14, and that people's steps are those that people took."""
        steps, row = case.timeline(), case.world.case(story.case_id)
        assert [step.seq for step in steps] == list(range(1, len(steps) + 1)), "seq has a gap"
        assert (row.seq, row.state, row.version) == (len(steps), story.end, story.versions), (
            f"it stands at {row.state}, step {row.seq} of {len(steps)}, version {row.version}"
        )
        by_people = [step.action for step in steps if step.actor_relation != "system"]
        assert by_people == list(story.actions), f"people took {by_people}"
        assert row.patient_id == story.patient_id
        acts = [audit.act for audit in case.audit("done") if audit.act.startswith("case.")]
        assert acts == ["case.create", *(f"case.{step.action}" for step in steps)], f"the audit trail has {acts}"
        others = Counter(audit.act for audit in case.audit("done") if audit.act in {"file.store", "chat.post"})
        assert others == Counter({"file.store": story.uploads, "chat.post": len(story.said)}), f"audited: {others}"
        denied = [audit.command_id for audit in case.audit("denied")]
        assert set(denied) <= set(self._ledger.undone), "a step was denied to somebody who was told nothing of it"

    def _check_effects(self, session: Session, story: LifeStory) -> None:
        """Each effect is done once, and each release has one link (invariant 13)."""
        effects = session.exec(select(EffectRow).where(EffectRow.case_id == story.case_id)).all()
        self._found.effects += len(effects)
        self._found.tried_again += sum(effect.fence > 1 for effect in effects)
        self._found.expect(
            all(effect.done_at and effect.fence for effect in effects), f"effects of {story.case_id} are not done"
        )
        grants = session.exec(select(ReleaseGrant.id).where(ReleaseGrant.case_id == story.case_id)).all()
        self._found.expect(
            len(grants) == story.actions.count(Action.RELEASE), f"{story.case_id} has {len(grants)} links"
        )

    def _check_reports(self, session: Session, story: LifeStory) -> None:
        """One signed version a signature, with the words that were saved, and its document (invariants 7 and 8)."""
        rows = session.exec(
            select(ReportVersion).where(ReportVersion.case_id == story.case_id).order_by(col(ReportVersion.version))
        ).all()
        signed = [opened_version(self._keys, row) for row in rows]
        kept = [report for report in signed if report.reason == _KEPT]
        self._found.expect(
            len(kept) == story.actions.count(Action.KEEP_REPORT), f"{story.case_id} has {len(kept)} reports that stand"
        )
        words = [
            report.addenda[-1].text if report.addenda else report.content.impression
            for report in signed
            if report not in kept
        ]
        self._found.expect(words == story.texts, f"the reports of {story.case_id} do not say what was saved")
        stored = Counter(session.exec(select(ReportPdf.version).where(ReportPdf.case_id == story.case_id)).all())
        for row, following in zip(rows, [*rows[1:], None], strict=False):
            rendered = session.get_one(EffectRow, f"{story.case_id}:pdf:{row.version}").done_at
            # A version that was superseded before it was laid out has no stored document: it is laid out when asked for.
            in_time = following is None or (rendered is not None and rendered < following.signed_at)
            allowed = (1,) if in_time else (0, 1)
            self._found.expect(
                stored[row.version] in allowed,
                f"version {row.version} of {story.case_id} has {stored[row.version]} documents",
            )
        self._found.expect(len(stored) <= len(rows), f"{story.case_id} has documents of no version")

    def _check_chat(self, session: Session, story: LifeStory) -> None:
        """Every message that was answered for is there once, with its words."""
        rows = session.exec(
            select(Message).where(Message.case_id == story.case_id).order_by(col(Message.created_at))
        ).all()
        said = [open_json(self._keys, row.body, column_aad("message", row.id, "body")) for row in rows]
        self._found.expect(said == story.said, f"the chat of {story.case_id} has {len(said)} messages")

    async def _check_workflows(self) -> None:
        """No workflow that no case has (invariant 1)."""
        wanted = {case_workflow_id(story.case_id) for story in self._ledger.stories}
        found = {each.id async for each in self._practice.client.list_workflows()}
        self._found.expect(found <= wanted, f"{len(found - wanted)} workflows belong to no case")

    async def _check_workflow(self, story: LifeStory) -> None:
        """The workflow of a quiet case knows what the record knows (invariant 2), and its history replays."""
        handle = self._practice.client.get_workflow_handle(case_workflow_id(story.case_id))
        if is_open(story.end):
            state = await handle.query(CaseWorkflow.get_state)
            is_same = quiet(state) == quiet(self._practice.world.state(story.case_id))
            self._found.expect(is_same, f"the workflow and the record of {story.case_id} differ")
            self._found.expect(not state.effects and not state.facts, f"the workflow of {story.case_id} is not idle")
        history = await handle.fetch_history()
        replayer = Replayer(
            workflows=[CaseWorkflow], workflow_runner=unsandboxed(), data_converter=data_converter(self._keys)
        )
        replayed = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        failure = replayed.replay_failure
        self._found.expect(failure is None, f"the history of {story.case_id} does not replay: {failure}")
        self._found.histories += 1
        self._found.longest_history = max(self._found.longest_history, len(history.events))
