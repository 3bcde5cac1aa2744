"""What can go wrong, named by what the caller will do about it.

Every error carries its remedy, because a message that only says *no* makes people read source.

    UnderstudyError
    ├── UsageError      the command or the configuration is wrong: mend it (exit 2)
    ├── GatewayError    the gateway is down, refuses, or is no LiteLLM: mend or wait (exit 2)
    ├── WitnessError    the witness cannot stand where it should: free the port (exit 2)
    └── SetupError      an environment or process of ours did not come up (exit 2)
"""


class UnderstudyError(Exception):
    """Something a person can mend; *remedy* says how.

    Attributes:
        message: What is wrong and where, one line where possible.
        remedy: What to do about it, in the imperative.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class UsageError(UnderstudyError):
    """The command line or the configuration asks for something that cannot be."""


class GatewayError(UnderstudyError):
    """The gateway cannot be asked: down, hanging, refusing the key, or not LiteLLM."""


class WitnessError(UnderstudyError):
    """The witness cannot listen where the gateway would look for it."""


class SetupError(UnderstudyError):
    """A process or an environment of our own did not come up."""
