from celery import shared_task

from apps.core import approvals, integrity, outbox, runs
from apps.core.actor import Actor


@shared_task(name="core.deliver")
def deliver(delivery_ids: list[int]) -> None:
    """Run reactions in the order given."""
    for delivery_id in delivery_ids:
        outbox.deliver(delivery_id)


@shared_task(name="core.approvals_expire")
def approvals_expire() -> None:
    """What nobody decided in time ends, and whatever was held for it is free again."""
    approvals.approvals_expire(actor=Actor.system("approvals"))


@shared_task(name="core.outbox_prune")
def outbox_prune() -> None:
    """What everybody handled long ago is removed, a short transaction at a time."""
    while outbox.prune():
        pass


@shared_task(name="core.runs_resume")
def runs_resume() -> None:
    """Exports and actions on many rows go on where a worker died."""
    runs.runs_resume()


@shared_task(name="core.runs_tidy")
def runs_tidy() -> None:
    """Exported files are kept for a day."""
    runs.runs_tidy()


@shared_task(name="core.approvals_escalate")
def approvals_escalate() -> None:
    """What waits too long, or for too few people, goes to the next role; late reviews of emergencies are told of."""
    approvals.approvals_escalate(actor=Actor.system("approvals"))
    approvals.reviews_remind(actor=Actor.system("approvals"))


@shared_task(name="core.audit_verify", soft_time_limit=6 * 3600)
def audit_verify() -> None:
    """The whole audit trail is proven and its head signed; what does not hold waits in the inbox."""
    integrity.integrity_nightly()
