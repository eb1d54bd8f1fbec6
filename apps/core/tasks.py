from celery import shared_task

from apps.core import outbox


@shared_task(name="core.deliver")
def deliver(delivery_ids: list[int]) -> None:
    """Run reactions in the order given."""
    for delivery_id in delivery_ids:
        outbox.deliver(delivery_id)
