from django.db import migrations


class Migration(migrations.Migration):
    """A vote names the maker of its own approval, so that the check against voting for oneself cannot be dodged."""

    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE core_approvalvote ADD CONSTRAINT vote_names_its_maker "
            "FOREIGN KEY (approval_id, maker_id) REFERENCES core_approval (id, maker_id)",
            "ALTER TABLE core_approvalvote DROP CONSTRAINT vote_names_its_maker",
        ),
    ]
