from celery import shared_task

from apps.core.actor import Actor
from apps.users.services import access_review_open


@shared_task(name="users.access_review_open")
def open_access_review() -> None:
    """Once a quarter; on every other day there is one already."""
    access_review_open(actor=Actor.system("access-review"), reason="quarterly review of access")
