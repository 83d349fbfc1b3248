"""Sample waits."""

from typing import Final

from ui.pages.samples.base import after, before
from ui.views import Wait

QUESTION_WAIT: Final = Wait(
    sentence="Waiting for you: a lateral view of 38 is missing.",
    since=before(hours=2, minutes=10),
    until=after(days=3, hours=5),
    then="the case goes back to Dr Weber as it is",
    yours=True,
)
READING_WAIT: Final = Wait(
    sentence="Waiting for Dr Weber's report.", since=before(hours=3), until=after(hours=2, minutes=25)
)
OFFER_WAIT: Final = Wait(
    sentence="Waiting for you to accept the case.",
    since=before(minutes=22),
    until=after(minutes=38),
    then="it is offered to another radiologist",
    yours=True,
)
RELEASE_WAIT: Final = Wait(
    sentence="Waiting for you to release the signed report to the patient.", since=before(hours=18), yours=True
)
SYSTEM_WAIT: Final = Wait(sentence="The images are being checked.", since=before(minutes=1))
POOL_WAIT: Final = Wait(
    sentence="Waiting for the scheduler: no radiologist is assigned yet.",
    since=before(minutes=34),
    until=after(hours=1),
)
LATE_WAIT: Final = Wait(
    sentence="Waiting for Dr Raman's approval.",
    since=before(hours=9),
    until=before(minutes=40),
    then="the scheduler is told",
    late=True,
)
