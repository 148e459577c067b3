"""Meta's error codes, and the bodies that carry them (Cloud API: Error codes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contrib.whatsapp_simulator.shapes import JSON

HREF: Final = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes/"


@dataclass(frozen=True, slots=True)
class Known:
    """What is always said with a code; the HTTP statuses are those of Meta's table where it gives one."""

    http: int
    title: str
    details: str


KNOWN: Final[Mapping[int, Known]] = {
    0: Known(401, "AuthException", "We were unable to authenticate the app user."),
    1: Known(400, "API Unknown", "Invalid request or possible server error."),
    2: Known(503, "API Service", "Temporary due to downtime or due to being overloaded."),
    3: Known(500, "API Method", "Capability or permissions issue."),
    4: Known(400, "API Too Many Calls", "The app has reached its API call rate limit."),
    10: Known(403, "API Permission Denied", "Permission is either not granted or has been removed."),
    100: Known(400, "Invalid parameter", "The request included one or more unsupported parameters."),
    190: Known(401, "Access token has expired", "Your access token has expired."),
    200: Known(403, "API Permission", "Permission is either not granted or has been removed."),
    368: Known(403, "Temporarily blocked for policies violations", "The account has been restricted."),
    80007: Known(400, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit."),
    130403: Known(403, "Blocked by user", "The business has blocked this user."),
    130429: Known(429, "Rate limit hit", "Cloud API message throughput has been reached."),
    130472: Known(400, "User's number is part of an experiment", "Message was not sent as part of one."),
    130497: Known(403, "Business account is restricted", "Not allowed to message users in this country."),
    131000: Known(500, "Something went wrong", "Message failed to send due to an unknown error."),
    131005: Known(403, "Access denied", "Permission is either not granted or has been removed."),
    131008: Known(400, "Required parameter is missing", "The request is missing a required parameter."),
    131009: Known(400, "Parameter value is not valid", "One or more parameter values are invalid."),
    131016: Known(500, "Service unavailable", "A service is temporarily unavailable."),
    131021: Known(400, "Recipient cannot be sender", "Sender and recipient phone number is the same."),
    131026: Known(400, "Message undeliverable", "Message Undeliverable."),
    131030: Known(
        400,
        "Recipient phone number not in allowed list",
        "Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again.",
    ),
    131031: Known(403, "Account has been locked", "Business account has been locked."),
    131042: Known(
        400, "Business eligibility payment issue", "There was an error related to your payment method."
    ),
    131047: Known(
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied "
        "to this number.",
    ),
    131048: Known(400, "Spam rate limit hit", "There are restrictions on how many messages can be sent."),
    131049: Known(400, "Meta chose not to deliver", "To maintain healthy ecosystem engagement."),
    131050: Known(400, "User has stopped marketing messages", "Marketing messages from you are stopped."),
    131051: Known(400, "Message type unknown", "Message type is currently not supported."),
    131052: Known(400, "Media download error", "Unable to download the media sent by the user."),
    131053: Known(400, "Media upload error", "Unable to upload the media used in the message."),
    131056: Known(
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number "
        "to the same phone number in a short period of time.",
    ),
    131057: Known(500, "Account in maintenance mode", "Business Account is in maintenance mode."),
    131060: Known(400, "This message is unavailable", "This message is currently unavailable."),
    131062: Known(
        400,
        "Business-scoped user ID recipients are not supported for this message",
        "Messages of this kind have to be sent to a phone number.",
    ),
    132000: Known(
        400,
        "Number of parameters does not match the expected number of params",
        "The number of variable parameter values does not match the template.",
    ),
    132001: Known(
        404,
        "Template name does not exist in the translation",
        "The template does not exist or is not approved.",
    ),
    132005: Known(400, "Translated text too long", "Translated text is too long."),
    132007: Known(400, "Content policy violated", "Template content violates a WhatsApp policy."),
    132012: Known(400, "Parameter format does not match format in the created template", "Wrong format."),
    132015: Known(400, "Template is paused", "Template is paused due to low quality."),
    132016: Known(
        400, "Template is disabled", "Template has been paused too many times and is now disabled."
    ),
    133004: Known(503, "Server temporarily unavailable", "Server is temporarily unavailable."),
    133010: Known(
        400, "Account not registered", "Phone number not registered on the WhatsApp Business Platform."
    ),
    135000: Known(400, "Generic user error", "Message failed to send because of an unknown error."),
}
UNKNOWN: Final = Known(400, "Unknown error", "An unknown error occurred.")


class GraphError(Exception):
    """A refusal, by its number."""

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        http: int | None = None,
        subcode: int | None = None,
        kind: str = "OAuthException",
        message: str = "",
    ) -> None:
        known = KNOWN.get(code, UNKNOWN)
        self.code = code
        self.title = known.title
        self.details = details or known.details
        self.http = http or known.http
        self._subcode = subcode
        self._kind = kind
        self._message = message or f"(#{code}) {known.title}"
        super().__init__(f"{self._message}: {self.details}")

    def answer(self, trace: str) -> JSON:
        """Write the body of an HTTP answer."""
        error: JSON = {"message": self._message, "type": self._kind, "code": self.code}
        if self._subcode is not None:
            error["error_subcode"] = self._subcode
        else:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        error["fbtrace_id"] = trace
        return {"error": error}

    def in_webhook(self) -> JSON:
        """Write the item of an `errors` list in a webhook."""
        return {
            "code": self.code,
            "title": self.title,
            "message": self.title,
            "error_data": {"details": self.details},
            "href": HREF,
        }


def bad_token() -> GraphError:
    """Nobody we know, or not any more."""
    return GraphError(190, subcode=463, message="Error validating access token: Session has expired.")


def no_such_object(object_id: str, method: str) -> GraphError:
    """What Graph says of every id it does not know or may not show."""
    return GraphError(
        100,
        subcode=33,
        kind="GraphMethodException",
        message=f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, "
        "cannot be loaded due to missing permissions, or does not support this operation",
    )


def missing(path: str) -> GraphError:
    """Something that has to be there is not."""
    return GraphError(131008, f"Required parameter '{path}' is missing")


def invalid(details: str) -> GraphError:
    """Something is not of its shape."""
    return GraphError(100, details)


def not_valid(details: str) -> GraphError:
    """Something has a value that cannot be."""
    return GraphError(131009, details)
