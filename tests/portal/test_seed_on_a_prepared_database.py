import pytest
from django.core.management import CommandError, call_command

from apps.users.models import User

pytestmark = pytest.mark.django_db


def test_the_demo_says_in_one_sentence_why_it_cannot_begin_here():
    for command in ("load_roles", "load_rules"):
        call_command(command, verbosity=0)
    with pytest.raises(CommandError, match="prepared without --demo"):
        call_command("seed_demo")
    assert not User.objects.exists()
