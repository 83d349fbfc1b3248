"""View models: what each template needs, as plain frozen data.

A route reads its rows, decides with ``schemas``, fills one of these and calls ``ui.templating.render``. No ORM object, no
session and no permission is in here: what a person may not see is simply not filled in. Words that come from data (a
name, a reason) arrive ready; words of the interface are in the templates.
"""

from ui.views.account import AccountView, SessionRow, TokenRow, TokensView
from ui.views.admin import AuditRow, AuditView, MailboxView, MailView, UserRow, UsersView
from ui.views.arranging import ArrangeView, GroupPageView
from ui.views.case import CaseView, ChatView, Message, TimelineEntry
from ui.views.documents import DocumentGroup, DocumentRow, DocumentsView
from ui.views.files import FileGroupView, FilesView, MixedPerson, MixedView, StudyView, UploadProblem
from ui.views.forms import Action, FormState, Option
from ui.views.images import ImagesView
from ui.views.lists import BoardBand, BoardView, CaseGroup, CaseRow, Filter, PoolView, WorklistView
from ui.views.new_case import NewCaseView
from ui.views.notices import NoticeRow, NoticesView
from ui.views.patients import Duplicate, PatientRow, PatientsView, PatientView
from ui.views.portal import PortalView
from ui.views.reading import ReadingView
from ui.views.report import ReportVersion, ReportView
from ui.views.shell import ErrorPage, NavItem, Page, Person, ResumeView, SignInView, Toast
from ui.views.status import Chip, Clock, Step, Wait, state_chip

__all__ = [
    "AccountView",
    "Action",
    "ArrangeView",
    "AuditRow",
    "AuditView",
    "BoardBand",
    "BoardView",
    "CaseGroup",
    "CaseRow",
    "CaseView",
    "ChatView",
    "Chip",
    "Clock",
    "DocumentGroup",
    "DocumentRow",
    "DocumentsView",
    "Duplicate",
    "ErrorPage",
    "FileGroupView",
    "FilesView",
    "Filter",
    "FormState",
    "GroupPageView",
    "ImagesView",
    "MailView",
    "MailboxView",
    "Message",
    "MixedPerson",
    "MixedView",
    "NavItem",
    "NewCaseView",
    "NoticeRow",
    "NoticesView",
    "Option",
    "Page",
    "PatientRow",
    "PatientView",
    "PatientsView",
    "Person",
    "PoolView",
    "PortalView",
    "ReadingView",
    "ReportVersion",
    "ReportView",
    "ResumeView",
    "SessionRow",
    "SignInView",
    "Step",
    "StudyView",
    "TimelineEntry",
    "Toast",
    "TokenRow",
    "TokensView",
    "UploadProblem",
    "UserRow",
    "UsersView",
    "Wait",
    "WorklistView",
    "state_chip",
]
