"""Permissions that end: roles and object permissions are asked for with their dates, at each request."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Model, Q
from guardian.backends import ObjectPermissionBackend
from guardian.utils import get_user_obj_perms_model

from apps.core import clock
from apps.users.models import DatedGrant


class RoleBackend(ModelBackend):
    """Signs in by e-mail and password; a login may do what its role grants of this moment say.

    The dates are part of the query: a grant that ended a second ago gives nothing, and no job has to run for that.
    """

    def _get_group_permissions(self, user_obj: Any) -> Any:
        at = clock.now()
        return Permission.objects.filter(
            Q(group__grants__valid_until=None) | Q(group__grants__valid_until__gt=at),
            group__grants__user=user_obj,
            group__grants__valid_from__lte=at,
        )


class DatedGrantBackend(ObjectPermissionBackend):
    """Answers for objects of models with dated grants alone; no other object permission opens anything."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        return perm in self.get_all_permissions(user_obj, obj)

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        if obj is None or not user_obj.is_active or user_obj.is_anonymous:
            return set()
        grants = get_user_obj_perms_model(obj)
        if not issubclass(grants, DatedGrant):
            return set()
        rows: Any = grants.objects.in_force().filter(user=user_obj)
        rows = rows.filter(content_object=obj)
        return {
            f"{obj._meta.app_label}.{name}"
            for name in rows.values_list("permission__codename", flat=True)
        }

    def get_group_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        return set()
