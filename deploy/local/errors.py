"""The one exception of this package."""


class LocalServerError(Exception):
    """Raised when something cannot run on this machine; the message is one line and names the mend."""
