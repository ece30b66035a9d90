"""Errors with a reason that a page can explain in its reader's language (see `reasons`)."""


class ReasonError(Exception):
    """An expected failure: `code` is a key of `reasons.REASONS`, `context` fills its sentence."""

    def __init__(self, code: str, **context: str | int | float) -> None:
        super().__init__(code, context)
        self.code = code
        self.context = context


class UndecodableError(ReasonError):
    """A payload that no decoder understands; kept as an UndecodedMessage."""


class ServiceError(ReasonError):
    """A request that a service refuses, such as enabling what is being deleted."""


class BackupError(Exception):
    """A backup that cannot be made or put back; its text is the sentence for whoever sits at the shell."""


class ConfigurationError(Exception):
    """A file that is no configuration; its text is the sentence for whoever sits at the shell."""
