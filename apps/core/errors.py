"""Refusals that people and programs understand: a stable code, a sentence, and the values that explain it."""

from typing import Any

from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A command that was refused; whoever raises it has changed nothing.

    `code` never changes once published, `message` is a sentence for people with `{placeholders}`,
    `status` is the HTTP status that the API answers with.
    """

    code = "REFUSED"
    message: Any = _("This cannot be done.")
    status = 422

    def __init__(self, **values: Any) -> None:
        self.values = values
        super().__init__(self.code)

    def __str__(self) -> str:
        return str(self.message).format(**self.values)


class NotVisible(DomainError):
    """Out of scope reads as absent, so nobody learns what exists elsewhere."""

    code = "NOT_FOUND"
    message = _("There is nothing here with this address.")
    status = 404


class NotAllowed(DomainError):
    code = "NOT_ALLOWED"
    message = _("Your role does not include: {permission}.")
    status = 403


class StepUpRequired(Exception):
    """The role allows it, but whoever sits at the keyboard has to prove once more who they are.

    Not a refusal: no page shows it as one. The pages lead to a new sign-in and back, the API answers 403.
    """

    code = "STEP_UP_REQUIRED"
    message: Any = _("Confirm that it is you before you go on: {permission}.")
    status = 403

    def __init__(self, **values: Any) -> None:
        self.values = values
        super().__init__(self.code)

    def __str__(self) -> str:
        return str(self.message).format(**self.values)


class SelfApproval(DomainError):
    code = "SELF_APPROVAL"
    message = _("You asked for this, so someone else must approve it.")
    status = 403


class AlreadyVoted(DomainError):
    code = "ALREADY_VOTED"
    message = _("You have already given your decision on this.")
    status = 409


class ReadOnly(DomainError):
    code = "READ_ONLY"
    message = _("You look at this as somebody else, so nothing can be changed here.")
    status = 403


class CheckFailed(DomainError):
    code = "CHECK_FAILED"
    message = _("Not all checks passed: {checks}.")


class Conflict(DomainError):
    code = "CONFLICT"
    message = _("The same request was made before with other content.")
    status = 409


class StaleBase(DomainError):
    code = "STALE_BASE"
    message = _("This was changed by someone else in the meantime. Look at it again and repeat.")
    status = 409


class WrongState(DomainError):
    code = "WRONG_STATE"
    message = _("This is {state} now, so {command} is not possible.")
    status = 409


class NotPossibleNow(DomainError):
    code = "NOT_POSSIBLE_NOW"
    message = _("As this stands now, “{command}” is not possible.")
    status = 409


class InvalidInput(DomainError):
    code = "INVALID_INPUT"
    message = _("{field}: {problem}")


class Busy(DomainError):
    code = "BUSY"
    message = _("Someone else is working on this at this moment. Try again in a few seconds.")
    status = 409


class Unavailable(DomainError):
    code = "UNAVAILABLE"
    message = _("{part} does not answer at the moment. Nothing was changed; try again shortly.")
    status = 503
