"""People and their roles, as an administrator or an owner sees them."""

from collections.abc import Sequence
from typing import Final, Literal

from schemas.access import OrganizationKind
from schemas.lifecycle import Role
from schemas.people_forms import ROLES_OF, MembershipView, UserView
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.assemble.registrations import registrations_view
from ui.views import Chip, FormState, Option, Person, UserRow
from ui.views.admin import RoleForm, UserPageView

Side = Literal["practice", "reader", "other"]

ROLE_WORDS: Final = {
    Role.DENTIST: N_("Dentist"),
    Role.STAFF: N_("Practice staff"),
    Role.RADIOLOGIST: N_("Radiologist"),
    Role.SCHEDULER: N_("Scheduler"),
    Role.ADMIN: N_("Administrator"),
}


def role_options(looker: Looker, kinds: Sequence[OrganizationKind]) -> tuple[Option, ...]:
    roles = dict.fromkeys(role for kind in kinds for role in ROLES_OF[kind])
    return tuple(Option(value=role, word=looker.say(ROLE_WORDS[role])) for role in roles)


def user_row(user: UserView, looker: Looker, url: str) -> UserRow:
    """``url`` is the list's address. One's own account cannot be toggled."""
    own = user.id == looker.person.user_id
    toggle = "disable" if user.is_active else "enable"
    return UserRow(
        id=user.id,
        person=Person(name=user.name, side=_side(user.memberships)),
        email=user.email,
        organization=", ".join(dict.fromkeys(member.organization for member in user.memberships)),
        roles=", ".join(_role_words(member, looker) for member in user.memberships if member.active) or "–",
        chip=_chip(user),
        last_seen=user.last_seen_at,
        url=f"{url}/{user.id}",
        toggle_url="" if own else f"{url}/{user.id}/{toggle}",
        toggle_word=looker.say(N_("Disable")) if user.is_active else looker.say(N_("Enable")),
    )


def user_page(
    user: UserView,
    looker: Looker,
    url: str,
    wrong: tuple[str, FormState] | None = None,
    *,
    has_registrations: bool = False,
) -> UserPageView:
    """``wrong`` is the form that could not be saved, and whose it is: a role's by the organization's id, a registration's by
    its own.
    """
    own = user.id == looker.person.user_id
    return UserPageView(
        row=user_row(user, looker, url),
        list_url=url,
        created=user.created_at,
        memberships=tuple(
            _role_form(member, looker, "" if own else f"{url}/{user.id}/roles/{member.organization_id}", wrong)
            for member in user.memberships
        ),
        registrations=registrations_view(user, looker, url, wrong) if has_registrations else None,
        invite_url="" if own or user.last_seen_at or not user.is_active else f"{url}/{user.id}/invitation",
        is_self=own,
        mail_fails=user.mail_fails,
    )


def _role_form(member: MembershipView, looker: Looker, url: str, wrong: tuple[str, FormState] | None) -> RoleForm:
    kind = OrganizationKind(member.kind)
    flags = {"owner": member.owner, "approver": member.approver}
    form = FormState(values={"role": member.role, **{name: "yes" for name, on in flags.items() if on}})
    if wrong is not None and wrong[0] == member.organization_id:
        form = wrong[1]
    return RoleForm(
        organization=member.organization,
        url=url,
        form=form,
        roles=role_options(looker, [kind]),
        can_own=kind is OrganizationKind.PRACTICE,
        can_approve=kind is OrganizationKind.READING_GROUP,
    )


def _role_words(member: MembershipView, looker: Looker) -> str:
    words = [looker.say(ROLE_WORDS[Role(member.role)])]
    if member.owner:
        words.append(looker.say(N_("owner")))
    if member.approver:
        words.append(looker.say(N_("approver")))
    return ", ".join(words)


def _chip(user: UserView) -> Chip:
    if not user.is_active:
        return Chip(icon="stop", word=N_("Disabled"), tone="quiet")
    if user.mail_fails:
        return Chip(icon="mail", word=N_("Mail does not arrive"), tone="warn")
    if user.last_seen_at is None:
        return Chip(icon="mail", word=N_("Never signed in"), tone="info")
    return Chip(icon="check", word=N_("Active"), tone="ok")


def _side(members: Sequence[MembershipView]) -> Side:
    kind = members[0].kind if members else ""
    sides: dict[str, Side] = {"practice": "practice", "reading_group": "reader"}
    return sides.get(kind, "other")
