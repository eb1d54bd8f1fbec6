"""The quick way of migrating an empty database leaves Django as it was, and is for empty databases alone."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db.migrations.state import ProjectState

from brokeros.management.commands import migrate


def test_django_draws_as_before_afterwards():
    kept = ProjectState.reload_model, ProjectState.reload_models
    with pytest.raises(RuntimeError), migrate.only_changed_models():
        assert ProjectState.reload_model is not kept[0]
        raise RuntimeError
    assert (ProjectState.reload_model, ProjectState.reload_models) == kept


@pytest.mark.django_db
def test_a_database_with_tables_is_migrated_as_django_does_it(monkeypatch):
    def never():
        raise AssertionError("this database has tables")

    monkeypatch.setattr(migrate, "only_changed_models", never)
    call_command("migrate", verbosity=0, interactive=False)
