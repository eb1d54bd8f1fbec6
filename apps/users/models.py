from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Regex
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from guardian.managers import UserObjectPermissionManager
from guardian.models import UserObjectPermissionBase

from apps.core import clock
from apps.core.actor import Actor, ScopeLevel
from apps.core.masks import FieldMask
from apps.core.models import AuditedModel
from apps.users.scopes import (
    LONGEST_GRANT,
    GrantQuerySet,
    team_stays_within_desk,
    user_joins_team_of_desk,
)


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

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        fields = {"is_staff": True, "is_superuser": True, "scope_level": ScopeLevel.ALL, **fields}
        return self.create_user(email, password, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A login: of a member of staff, a client or a partner. What it may do comes from its roles and its scope."""

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

    credentials_changed_at = models.DateTimeField(
        _("sign-in last changed"), null=True, blank=True, editable=False
    )
    session_epoch = models.PositiveIntegerField(_("session epoch"), default=0, editable=False)

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
        ]
        triggers = [user_joins_team_of_desk()]

    def __str__(self) -> str:
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


class Role(Group):
    """A named set of permissions, loaded from data and given to users."""

    class Meta:
        proxy = True
        verbose_name = _("role")
        verbose_name_plural = _("roles")


class RoleMask(models.Model):
    """How much of one personal field a role reads. Loaded from `data/masks.toml`; no row means nothing."""

    role = models.ForeignKey(Group, models.CASCADE, related_name="masks", verbose_name=_("role"))
    field = models.CharField(_("field"), max_length=120)
    mask = models.CharField(
        _("mask"), max_length=8, choices=[(m.value, m.value.lower()) for m in FieldMask]
    )

    class Meta:
        verbose_name = _("field mask")
        verbose_name_plural = _("field masks")
        ordering = ("role__name", "field")
        constraints = [
            models.UniqueConstraint(fields=["role", "field"], name="users_mask_once"),
            models.CheckConstraint(
                condition=Q(mask__in=[m.value for m in FieldMask]), name="users_mask_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role.name}: {self.field} {self.mask}"


class DatedGrant(AuditedModel, UserObjectPermissionBase):
    """A dated exception: one object opened to one person until an instant, with a reason.

    A guardian object permission with an end. Subclasses name the object `content_object`. It ends by its
    date, whether or not anything runs then: whoever reads grants asks for those `in_force`.
    """

    reason = models.CharField(_("reason"), max_length=500)
    valid_from = models.DateTimeField(_("from"))
    valid_until = models.DateTimeField(_("until"))
    granted_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("shared by")
    )
    revoked_at = models.DateTimeField(_("taken back at"), null=True, blank=True)
    revoked_by = models.CharField(_("taken back by"), max_length=64, blank=True)
    revoke_reason = models.CharField(_("why taken back"), max_length=500, blank=True)

    objects = UserObjectPermissionManager.from_queryset(GrantQuerySet)()  # type: ignore[misc]

    class Meta:
        abstract = True
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from"))
                & Q(valid_until__lte=F("valid_from") + LONGEST_GRANT),
                name="%(app_label)s_%(class)s_dates",
            ),
            models.CheckConstraint(
                condition=~Q(user=F("granted_by")), name="%(app_label)s_%(class)s_not_oneself"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="%(app_label)s_%(class)s_reason"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="%(app_label)s_%(class)s_revoked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_object} → {self.user}"  # type: ignore[attr-defined]

    @property
    def in_force(self) -> bool:
        return self.revoked_at is None and self.valid_from <= clock.now() < self.valid_until

    @property
    def over(self) -> bool:
        return bool(self.valid_until <= clock.now())

    def take_back(self, *, by: Actor, reason: str) -> None:
        """Ended before its date; the row stays."""
        self.revoked_at = clock.now()
        self.revoked_by = by.id
        self.revoke_reason = reason


from apps.users.signin.models import KnownDevice as KnownDevice  # noqa: E402
from apps.users.signin.models import SignInBrake as SignInBrake  # noqa: E402
