from django.db import migrations


def grants_from_groups(apps, schema_editor):
    """Whoever held a role before holds it from now on; the superuser's flag becomes the administrator's role."""
    User = apps.get_model("users", "User")
    Group = apps.get_model("auth", "Group")
    RoleGrant = apps.get_model("users", "RoleGrant")
    reason = "held before grants were kept"
    RoleGrant.objects.bulk_create(
        RoleGrant(user_id=user_id, role_id=role_id, reason=reason)
        for user_id, role_id in User.groups.through.objects.values_list("user_id", "group_id")
    )
    superusers = User.objects.filter(is_superuser=True)
    if superusers.exists():
        admin, _made = Group.objects.get_or_create(name="admin")
        RoleGrant.objects.bulk_create(
            RoleGrant(user_id=user_id, role_id=admin.pk, reason=reason)
            for user_id in superusers.exclude(grants__role=admin).values_list("pk", flat=True)
        )
        superusers.update(is_superuser=False)


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0005_roles_are_held_by_grants'),
    ]

    operations = [migrations.RunPython(grants_from_groups, migrations.RunPython.noop)]
