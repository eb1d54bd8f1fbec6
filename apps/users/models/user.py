from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Regex
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core import clock
from apps.core.actor import Actor, ActorKind, ScopeLevel
from apps.core.masks import viewer
from apps.core.models import RecordedModel
from apps.users.querysets import UserQuerySet
from apps.users.scopes import (
    team_stays_within_desk,
    user_joins_team_of_desk,
)

ADMIN = "admin"
UNTRACKED_FIELDS = {"credentials_changed_at", "last_login", "password", "session_epoch"}


class _Recorded(HistoricalRecords):
    """Signing in and a new password hash are no change of the person's record: they leave no history row."""

    def post_save(
        self, instance: Any, created: bool, using: str | None = None, **kwargs: Any
    ) -> None:
        fields = kwargs.get("update_fields")
        if fields is not None and set(fields) <= UNTRACKED_FIELDS:
            return
        super().post_save(instance, created, using=using, **kwargs)


class Desk(models.Model):
    """A group of staff that shares a book of clients."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("desk")
        verbose_name_plural = _("desks")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """Staff of one desk who work on one book; whoever sees as far as the team sees the rows of all its owners."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    desk = models.ForeignKey(
        Desk, models.PROTECT, related_name="teams", verbose_name=_("desk"), editable=False
    )
    lead = models.ForeignKey(
        "users.User",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="led_teams",
        verbose_name=_("lead"),
    )

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ("name",)
        triggers = [team_stays_within_desk()]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def staff(self) -> UserQuerySet:
        return self.get_queryset().staff()

    def holding(self, codes: Iterable[str]) -> UserQuerySet:
        return self.get_queryset().holding(codes)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if fields.pop("is_superuser", False):
            return self.create_superuser(email, password, **fields)
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """The first administrator. Holds the role like everybody else: no flag stands above the grants."""
        from apps.users.models.grants import RoleGrant

        fields.pop("is_superuser", None)
        fields = {"is_staff": True, "scope_level": ScopeLevel.ALL, **fields}
        with transaction.atomic(using=self._db):
            user = self.create_user(email, password, **fields)
            role, _made = Role.objects.get_or_create(name=ADMIN)
            RoleGrant(user=user, role=role, reason="first administrator").save_as(
                Actor.system("setup"), "first administrator", action="role.grant"
            )
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


def _staff_looks() -> bool:
    who = viewer()
    return who is not None and who.kind is ActorKind.STAFF


class User(RecordedModel, AbstractBaseUser, PermissionsMixin):
    """A login: of a member of staff, a client or a partner.

    What it may do comes from the roles granted to it at this moment, and from nothing else. `groups` is the table
    of grants with past and future ones, so ask `get_all_permissions`, never `groups`. `session_epoch` is part of
    what a session is signed with: raising it ends every session of this login at once.
    """

    audit_redacted = ("email", "name", "password")
    audit_untracked = ("last_login",)

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    desk = models.ForeignKey(Desk, models.PROTECT, null=True, blank=True, verbose_name=_("desk"))
    scope_level = models.CharField(
        _("sees"),
        max_length=12,
        choices=[(s.value, s.value) for s in ScopeLevel],
        default=ScopeLevel.NONE,
    )
    entities = ArrayField(
        models.CharField(max_length=20), default=list, blank=True, verbose_name=_("entities")
    )
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="members", verbose_name=_("team")
    )
    jurisdictions = ArrayField(
        models.CharField(max_length=2),
        default=list,
        blank=True,
        verbose_name=_("countries"),
        help_text=_("ISO 3166 codes of the clients' countries of residence"),
    )
    language = models.CharField(_("language"), max_length=8, default="en")
    date_joined = models.DateTimeField(_("joined"), default=clock.now)

    left_at = models.DateTimeField(_("cut off at"), null=True, blank=True)
    credentials_changed_at = models.DateTimeField(
        _("sign-in last changed"), null=True, blank=True, editable=False
    )
    session_epoch = models.PositiveIntegerField(_("session epoch"), default=0, editable=False)

    groups = models.ManyToManyField(  # type: ignore[assignment]
        Group,
        through="users.RoleGrant",
        through_fields=("user", "role"),
        related_name="user_set",
        related_query_name="user",
        verbose_name=_("roles"),
    )

    history = _Recorded(excluded_fields=["password", "last_login", "session_epoch"])

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ("email",)
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_ci"),
            models.CheckConstraint(
                condition=models.Q(scope_level__in=[s.value for s in ScopeLevel]), name="user_scope"
            ),
            models.CheckConstraint(
                condition=Regex(
                    Func(
                        F("jurisdictions"),
                        Value(" "),
                        function="array_to_string",
                        output_field=models.TextField(),
                    ),
                    Value(r"^([A-Z]{2}( [A-Z]{2})*)?$"),
                ),
                name="user_jurisdictions",
            ),
            models.CheckConstraint(
                condition=Q(team=None) | Q(desk__isnull=False), name="user_team_has_desk"
            ),
            models.CheckConstraint(condition=Q(is_superuser=False), name="user_only_by_grant"),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(is_active=False), name="user_left_is_out"
            ),
        ]
        triggers = [user_joins_team_of_desk()]

    def __str__(self) -> str:
        """A login of a client has no name for staff: what they read of people is said of the client."""
        if not self.is_staff and _staff_looks():
            return f"login {self.pk}"
        return self.name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must carry to be this user's: dies with the password and with the epoch, wherever the
        session is kept."""
        return salted_hmac(
            "apps.users.models.User.session",
            f"{self.session_epoch}:{self.password}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()

    def get_short_name(self) -> str:
        return self.name.partition(" ")[0] or self.email

    def get_all_permissions(self, obj: models.Model | None = None) -> set[str]:
        """What the grants in force at this moment allow, whichever way this login signed in."""
        if obj is not None:
            return super().get_all_permissions(obj)
        from apps.users.backends import RoleBackend

        return RoleBackend().get_all_permissions(self)

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        if obj is not None:
            return self.is_active and super().has_perm(perm, obj)
        return self.is_active and perm in self.get_all_permissions()

    def role_codes(self) -> list[str]:
        """The roles held at this moment."""
        from apps.users.models.grants import RoleGrant

        held = RoleGrant.objects.in_force().filter(user=self)
        return list(held.order_by("role__name").values_list("role__name", flat=True))

    def has_module_perms(self, app_label: str) -> bool:
        start = f"{app_label}."
        return self.is_active and any(code.startswith(start) for code in self.get_all_permissions())


class Role(Group):
    """A named set of permissions, loaded from data and given to users."""

    class Meta:
        proxy = True
        verbose_name = _("role")
        verbose_name_plural = _("roles")
