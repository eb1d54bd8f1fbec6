from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0004_notifications'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='delivery',
            options={'ordering': ('-id',), 'permissions': [('retry_delivery', 'Retry a dead delivery'), ('skip_delivery', 'Skip a dead delivery')], 'verbose_name': 'delivery', 'verbose_name_plural': 'deliveries'},
        ),
        migrations.RemoveConstraint(
            model_name='delivery',
            name='delivery_state',
        ),
        migrations.AddField(
            model_name='delivery',
            name='lane',
            field=models.CharField(db_default='', max_length=120, verbose_name='lane'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='state',
            field=models.CharField(choices=[('PENDING', 'pending'), ('DONE', 'done'), ('DEAD', 'dead letter'), ('SKIPPED', 'skipped by a person')], default='PENDING', max_length=8, verbose_name='state'),
        ),
        migrations.RunSQL(
            "UPDATE core_delivery SET lane = handler WHERE state IN ('PENDING', 'DEAD')",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['PENDING', 'DONE', 'DEAD', 'SKIPPED'])), name='delivery_state'),
        ),
    ]
