"""Object permissions that end: guardian's backend asks for grants without their dates, this one with them."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from guardian.backends import ObjectPermissionBackend
from guardian.utils import get_user_obj_perms_model

from apps.users.models import DatedGrant


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
