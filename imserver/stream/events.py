"""What a stream tells the one who runs it."""

from __future__ import annotations

from dataclasses import dataclass

from imserver.stream.sasl import CredentialsWanted, IdentityWanted, PasswordWanted
from imserver.xmpp.errors import StreamError
from imserver.xmpp.stanza import Stanza


@dataclass(frozen=True, slots=True)
class SecurityRequested:
    """STARTTLS: send what is to be sent, start TLS, then call `secured`."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The peer is who it says."""

    username: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class LoginFailed:
    """A try to log in came to nothing; call `login_refused` only for refusals of your own."""

    condition: str


@dataclass(frozen=True, slots=True)
class BindRequested:
    """Answer with `bound` or `bind_refused`."""

    resource: str


@dataclass(frozen=True, slots=True)
class ManagementRequested:
    """XEP-0198: answer with `managed`."""

    resume: bool


@dataclass(frozen=True, slots=True)
class ResumptionRequested:
    """XEP-0198: answer with `resumed` or `resumption_refused`."""

    previous: str
    handled: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """XEP-0198: the peer has handled that many."""

    handled: int


@dataclass(frozen=True, slots=True)
class AcknowledgementRequested:
    """XEP-0198: the peer asks how many we have handled."""


@dataclass(frozen=True, slots=True)
class ClientStateChanged:
    """XEP-0352: somebody looks at the client, or nobody does."""

    active: bool


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The stream is closed, by the peer if there is no error; send what is to be sent and hang up."""

    error: StreamError | None = None


Event = (
    Stanza
    | SecurityRequested
    | CredentialsWanted
    | PasswordWanted
    | IdentityWanted
    | LoggedIn
    | LoginFailed
    | BindRequested
    | ManagementRequested
    | ResumptionRequested
    | Acknowledged
    | AcknowledgementRequested
    | ClientStateChanged
    | StreamEnded
)
