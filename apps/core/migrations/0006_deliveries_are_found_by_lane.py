from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """The deliveries and events of a busy house are many: their indexes come in beside the traffic."""

    atomic = False

    dependencies = [
        ('core', '0005_deliveries_run_in_lanes'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', ['PENDING', 'DEAD'])), fields=['lane', 'aggregate', 'event'], name='delivery_in_order'),
        ),
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'DEAD')), fields=['handler'], name='delivery_dead'),
        ),
        AddIndexConcurrently(
            model_name='outboxevent',
            index=models.Index(fields=['dispatched_at'], name='outbox_age'),
        ),
        RemoveIndexConcurrently(
            model_name='delivery',
            name='delivery_order',
        ),
    ]
