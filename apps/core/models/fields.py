from __future__ import annotations

from typing import Any

from django_fsm import FSMField


class StateField(FSMField):
    """A state that only transitions move; assigning to it raises.

    To migrations it is the text column that it is. A state machine there would be built again for every step of
    every migration, and makes setting up a database several times slower.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("protected", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        kwargs.pop("protected", None)
        return name, "django.db.models.CharField", args, kwargs
