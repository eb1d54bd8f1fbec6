from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import ScopeLevel


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
        max_length=8,
        choices=[(s.value, s.value) for s in ScopeLevel],
        default=ScopeLevel.NONE,
    )
    entities = ArrayField(
        models.CharField(max_length=20), default=list, blank=True, verbose_name=_("entities")
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
        ]

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
