from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0006_held_roles_become_grants'),
    ]

    operations = [
        migrations.RemoveField(model_name='user', name='groups'),
        migrations.AddField(
            model_name='user',
            name='groups',
            field=models.ManyToManyField(related_name='user_set', related_query_name='user', through='users.RoleGrant', through_fields=('user', 'role'), to='auth.group', verbose_name='roles'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('is_superuser', False)), name='user_only_by_grant'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('left_at', None), ('is_active', False), _connector='OR'), name='user_left_is_out'),
        ),
    ]
