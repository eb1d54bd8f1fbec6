from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class TokenInvalid(DomainError):
    code = "TOKEN_INVALID"
    message = _("This link is not valid any more. Ask for a new one.")


class WeakPassword(DomainError):
    code = "WEAK_PASSWORD"
    message = _("{explanation}")


class WrongPassword(DomainError):
    code = "WRONG_PASSWORD"
    message = _("This is not your present password.")


class NoSecondFactor(DomainError):
    code = "NO_SECOND_FACTOR"
    message = _("This login has no second factor and no way in that could be reset.")
