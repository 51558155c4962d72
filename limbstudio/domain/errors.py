"""The two kinds of error: the world's (`KnownError`) and ours (everything else)."""


class KnownError(Exception):
    """Report a fault of the world (a bad file, a full disk) in words a user can act on.

    message: what happened, and to what. hint: what to do next. The command line prints both and exits with 2;
    the window shows them in its message bar. Anything that is not a KnownError is our own mistake.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
