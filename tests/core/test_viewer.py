"""Who looks at a page is known without being asked for."""

from __future__ import annotations

import contextvars
from typing import Any

from django.utils.functional import SimpleLazyObject

from apps.core.masks import seen_by, viewer


def test_carrying_a_context_over_does_not_find_the_actor() -> None:
    """An event loop that copies a context between threads looks at each value; the database is not there then."""

    def find() -> Any:
        raise AssertionError("the actor was looked for")

    with seen_by(SimpleLazyObject(find)):  # type: ignore[arg-type]
        for value in contextvars.copy_context().values():
            assert not isinstance(value, contextvars.Token)
    assert viewer() is None
