"""Who a visitor is, signed (RFC 7519): by us, for one who returns; or by a site, for its own users.

The algorithm is HS256, whatever a token says of itself; who signed it, and for whom, is part of what is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import jwt

if TYPE_CHECKING:
    from imserver_web.keys import OwnKeys

ALGORITHM: Final = "HS256"
LONGEST: Final = 4_096
LONGEST_SUBJECT: Final = 200
DAY: Final = 86_400
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
#: What stands before it, and who vouches, if somebody does.
_ALIAS: Final = re.compile(r"web:(?:[a-z0-9]{12}|[a-z0-9][a-z0-9_-]{0,62}:.+)", re.DOTALL)


class TokenRefused(Exception):
    """It says who somebody is, and is not believed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody is, and who says so."""

    #: `web:<client key>`, or `web:<site>:<subject>`.
    alias: str
    #: What a site says of its user.
    name: str = ""
    email: str = ""

    @property
    def called(self) -> str:
        """How the site calls its user."""
        return self.name or self.email

    @property
    def site(self) -> str:
        """The site that vouches for them; "" if nobody does."""
        parts = self.alias.split(":", 2)
        return parts[1] if len(parts) == 3 else ""


class Tokens:
    """Makes tokens, and reads them."""

    def __init__(
        self,
        own: OwnKeys,
        sites: Mapping[str, Mapping[str, bytes]],
        *,
        audience: str,
        days: float,
        leeway: float,
        longest: float,
        clock: Callable[[], float],
    ) -> None:
        self._own = own
        self._sites = sites
        self._audience = audience
        self._days = days
        self._leeway = leeway
        self._longest = longest
        self._clock = clock

    def issue(self, claim: Claim) -> tuple[str, float]:
        """Sign who somebody is; say until when it counts, in seconds since 1970."""
        now = int(self._clock())
        expires = now + int(self._days * DAY)
        claims: dict[str, Any] = {
            "iss": self._audience,
            "aud": self._audience,
            "sub": claim.alias,
            "iat": now,
            "exp": expires,
        }
        if claim.name:
            claims["name"] = claim.name
        if claim.email:
            claims["email"] = claim.email
        headers = {"kid": self._own.newest}
        return jwt.encode(claims, self._own.signing, algorithm=ALGORITHM, headers=headers), expires

    def read(self, token: str) -> Claim:
        """Read who somebody is.

        Raises:
            TokenRefused: If that is not to be believed.
        """
        if len(token) > LONGEST or not _SHAPE.fullmatch(token):
            raise TokenRefused("it is no token")
        try:
            # Only to choose the key: what is believed is what this key has signed.
            kid = jwt.get_unverified_header(token).get("kid")
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenRefused("it can't be read") from error
        if not isinstance(issuer, str):
            raise TokenRefused("it does not say who signed it")
        if issuer == self._audience:
            return self._read_own(self._verify(token, issuer, self._own.by_name, kid))
        if issuer not in self._sites:
            raise TokenRefused("nobody knows who signed it")
        return self._read_site(issuer, self._verify(token, issuer, self._sites[issuer], kid))

    def _verify(self, token: str, issuer: str, keys: Mapping[str, bytes], kid: object) -> dict[str, Any]:
        if kid is not None:
            keys = {kid: keys[kid]} if isinstance(kid, str) and kid in keys else {}
        for key in keys.values():
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=[ALGORITHM],
                    audience=self._audience,
                    issuer=issuer,
                    # Times are compared with our own clock below.
                    options={
                        "require": ["exp", "aud", "iss", "sub"],
                        "verify_exp": False,
                        "verify_iat": False,
                        "verify_nbf": False,
                    },
                )
            except jwt.InvalidSignatureError:
                continue
            except (jwt.PyJWTError, ValueError, TypeError) as error:
                raise TokenRefused(str(error)) from error
            self._check_time(claims, is_own=issuer == self._audience)
            return claims
        raise TokenRefused("it is not signed with a key that counts")

    def _check_time(self, claims: Mapping[str, Any], *, is_own: bool) -> None:
        now = self._clock()
        expires = _seconds(claims["exp"])
        if expires + (0 if is_own else self._leeway) <= now:
            raise TokenRefused("it has expired")
        if not is_own and expires > now + self._longest + self._leeway:
            raise TokenRefused("it counts for too long")
        for name in ("iat", "nbf"):
            if name in claims and _seconds(claims[name]) > now + self._leeway:
                raise TokenRefused("it is from the future")

    def _read_own(self, claims: Mapping[str, Any]) -> Claim:
        alias = claims["sub"]
        if not isinstance(alias, str) or not _ALIAS.fullmatch(alias):
            raise TokenRefused("it does not say who it is")
        claim = Claim(alias, _text(claims.get("name")), _text(claims.get("email")))
        if claim.site and claim.site not in self._sites:
            raise TokenRefused("nobody vouches for them any more")
        return claim

    @staticmethod
    def _read_site(site: str, claims: Mapping[str, Any]) -> Claim:
        subject = claims["sub"]
        is_good = isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT and subject.isprintable()
        if not is_good:
            raise TokenRefused("it does not say who it is")
        return Claim(f"web:{site}:{subject}", _text(claims.get("name")), _text(claims.get("email")))


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise TokenRefused("its times are no numbers")
    return value


def _text(value: object) -> str:
    return " ".join(value.split())[:LONGEST_SUBJECT] if isinstance(value, str) else ""
