"""XEP-0133: Service Administration, for the accounts listed as `admins`."""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

from imserver.features.commands import Command, Note, Outcome, Request
from imserver.features.contacts import find_roster, tell, to_element
from imserver.hooks import hookimpl, is_awaitable
from imserver.routing import lifecycle
from imserver.storage.accounts import AccountExists, AccountUnknown, StoredCredentials
from imserver.stream.scram import SALT_LENGTH, PasswordError, make_credentials
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError, StreamError
from imserver.xmpp.forms import Field, Form, Option
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import CLIENT, ROSTER
from imserver.xmpp.stanza import Message, Presence

if TYPE_CHECKING:
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.storage.accounts import Account

NAMESPACE: Final = "http://jabber.org/protocol/admin"

#: How long sessions may take to end before we go on without them, in seconds.
PATIENCE: Final = 5.0
#: The longest list that is sent, even if all are asked for: it has to fit into a stanza.
LONGEST_LIST: Final = 2000
#: How many accounts are read at a time.
PAGE: Final = 1000

_ACCOUNT: Final = Field("accountjid", "jid-single", "Account", required=True)
# COMPAT: where one account is meant, the standard still says "accountjids".
_ONE_ACCOUNT: Final = Field("accountjids", "jid-single", "Account", required=True)
_ACCOUNTS: Final = Field("accountjids", "jid-multi", "Accounts", required=True)
_SESSIONS: Final = Field("accountjids", "jid-multi", "Accounts, or sessions of them", required=True)
_PASSWORD: Final = Field("password", "text-private", "Password", required=True)
_PASSWORD_AGAIN: Final = Field("password-verify", "text-private", "The password again", required=True)
_SUBJECT: Final = Field("subject", "text-single", "Subject")
_ANNOUNCEMENT: Final = Field("announcement", "text-multi", "Announcement", required=True)
_MAX_ITEMS: Final = Field(
    "max_items",
    "list-single",
    "How many at most",
    value="25",
    options=(*(Option(number) for number in ("25", "50", "75", "100", "150", "200")), Option("none", "All")),
)


def is_admin(server: Server, asker: JID) -> bool:
    """Tell whether the settings list this account as an admin."""
    return asker.bare in server.settings.admins


# Accounts (4.1 to 4.7)


async def add_user(request: Request) -> Outcome:
    """Open an account."""
    server, account, password = request.server, _account(request), request.answers.text("password")
    if password != request.answers.text("password-verify"):
        raise StanzaError("not-acceptable", "The two passwords are not the same")
    try:
        await server.store.accounts.add(account, await _credentials(server, password))
    except AccountExists as error:
        raise StanzaError("conflict", f"There is an account {account} already") from error
    return _done(f"{account} can log in now.")


async def change_password(request: Request) -> Outcome:
    """Give an account a new password."""
    server, account = request.server, _account(request)
    credentials = await _credentials(server, request.answers.text("password"))
    try:
        await server.store.accounts.set_credentials(account, credentials)
    except AccountUnknown as error:
        raise _unknown(account) from error
    return _done(f"{account} has a new password.")


async def delete_users(request: Request) -> Outcome:
    """Remove accounts with everything that is kept for them."""
    server, accounts = request.server, await _others(request)
    for account in accounts:
        # Nobody may come back while the rest is done.
        await server.store.accounts.disable(account)
    await _end_sessions(server, accounts, StreamError("not-authorized", "This account was removed"))
    for account in accounts:
        await _leave_contacts(server, account)
        await server.store.accounts.remove(account)
        pending = server.hooks.account_removed.announce(server=server, account=account)
        if pending is not None:
            await pending
    return _done(f"Removed: {', '.join(accounts)}.")


async def disable_users(request: Request) -> Outcome:
    """Keep accounts as they are, but let nobody log in."""
    server, accounts = request.server, await _others(request)
    for account in accounts:
        await server.store.accounts.disable(account)
    await _end_sessions(server, accounts, StreamError("not-authorized", "This account was disabled"))
    return _done(f"Disabled: {', '.join(accounts)}.")


async def enable_users(request: Request) -> Outcome:
    """Let disabled accounts log in again."""
    accounts = await _accounts(request)
    for account in accounts:
        await request.server.store.accounts.enable(account)
    return _done(f"Enabled: {', '.join(accounts)}.")


async def end_sessions(request: Request) -> Outcome:
    """Disconnect sessions by their full addresses, or all of an account; they may log in again."""
    await _accounts(request)
    server, meant = request.server, request.answers.jids("accountjids")
    chosen = [one for one in server.sessions if one.jid in meant or one.bare in meant]
    ended = [session for session in chosen if session.jid != request.asker]
    await _end(server, ended, StreamError("policy-violation", "An admin has ended this session"))
    notes = [Note(f"Ended: {len(ended)}.")]
    if len(ended) < len(chosen):
        notes.append(Note("Your own session goes on.", "warn"))
    return Outcome(tuple(notes))


# About an account (4.8 to 4.10)


async def get_roster(request: Request) -> Outcome:
    """Show whom an account has as contacts."""
    account = (await _accounts(request))[0]
    items = (await find_roster(request.server, account)).listed
    lines = [f"{item.contact} ({item.subscription})" for item in items]
    form = _result(
        Field("accountjids", "jid-multi", "Account", value=account),
        # For clients that do not look for a roster in a form, which are most.
        Field("roster", "text-multi", "Contacts", value=lines),
    ).to_element("result")
    roster = Element("query", ROSTER).add(*(to_element(item) for item in items))
    return Outcome(payload=form.add(roster))


async def get_last_login(request: Request) -> Outcome:
    """Show when somebody was last here."""
    account = (await _accounts(request))[0]
    last = await request.server.store.lasts.get(account)
    shown = f"{last.time:%Y-%m-%dT%H:%M:%SZ}" if last is not None else "never"
    if request.server.sessions.of(account):
        shown = "now"
    return Outcome(
        payload=_result(
            Field("accountjids", "jid-multi", "Account", value=account),
            Field("lastlogin", "text-single", "Last here", value=shown),
        )
    )


async def get_statistics(request: Request) -> Outcome:
    """Show how much there is to an account."""
    account = (await _accounts(request))[0]
    contacts = (await find_roster(request.server, account)).listed
    resources = [session.jid.resource for session in request.server.sessions.of(account)]
    return Outcome(
        payload=_result(
            Field("rostersize", "text-single", "Contacts", value=str(len(contacts))),
            Field("onlineresources", "text-multi", "Resources online", value=resources),
        )
    )


# Who there is (4.13 to 4.22)


async def registered_users(server: Server) -> AsyncIterator[str]:
    """Go through all accounts."""
    async for account in _all_accounts(server):
        yield account.owner


async def disabled_users(server: Server) -> AsyncIterator[str]:
    """Go through the accounts that nobody can log in to."""
    async for account in _all_accounts(server):
        if not account.enabled:
            yield account.owner


async def online_users(server: Server) -> AsyncIterator[str]:
    """Go through the accounts that have a session."""
    for account in _online(server):
        yield account


async def active_users(server: Server) -> AsyncIterator[str]:
    """Go through the accounts that somebody seems to sit at."""
    for account in _online(server):
        if _is_active(server, account):
            yield account


async def idle_users(server: Server) -> AsyncIterator[str]:
    """Go through the accounts that are online, with nobody at any client."""
    for account in _online(server):
        if not _is_active(server, account):
            yield account


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the accounts, which can be counted and listed."""

    name: str
    members: Callable[[Server], AsyncIterator[str]]
    #: The end of the list's node, which the standard does not build alike for all.
    listing: str

    async def count(self, request: Request) -> Outcome:
        """Say how many there are."""
        number = len([None async for _ in self.members(request.server)])
        field = Field(f"{self.name}usersnum", "text-single", self.title("Number of"), value=str(number))
        return Outcome(payload=_result(field))

    async def list(self, request: Request) -> Outcome:
        """Say who they are, up to a number."""
        asked = request.answers.text("max_items", "25")
        most = LONGEST_LIST if asked == "none" else int(asked)
        found: list[str] = []
        async for member in self.members(request.server):
            found.append(member)
            if len(found) > most:
                break
        notes = (Note("There are more.", "warn"),) if len(found) > most else ()
        field = Field(f"{self.name}userjids", "jid-multi", self.title("List of"), value=found[:most])
        return Outcome(notes, _result(field))

    def title(self, start: str) -> str:
        """Name what is shown of them."""
        return f"{start} {self.name} users"


GROUPS: Final = (
    Group("registered", registered_users, "get-registered-users-list"),
    Group("disabled", disabled_users, "get-disabled-users-list"),
    Group("online", online_users, "get-online-users-list"),
    Group("active", active_users, "get-active-users"),
    Group("idle", idle_users, "get-idle-users"),
)


# To everybody (4.23)


def announce(request: Request) -> Outcome:
    """Send a text to everybody who is online."""
    server, answers = request.server, request.answers
    payload = [Element("body", CLIENT, text=answers.text("announcement"))]
    if subject := answers.text("subject"):
        payload.insert(0, Element("subject", CLIENT, text=subject))
    reached = [session for session in server.sessions if session.is_available and session.host is None]
    for session in reached:
        # A headline: what is said to those who are here is not kept for those who are not.
        server.router.send(Message(sender=server.domain, to=session.jid, type="headline", payload=payload))
    return _done(f"Sent to {len(reached)} sessions.")


# All of them


def _command(name: str, title: str, run: Run, *fields: Field) -> Command:
    form = Form(fields, type=NAMESPACE, title=title)
    return Command(f"{NAMESPACE}#{name}", title, _on_record(name, run), (form,) if fields else (), is_admin)


def _on_record(name: str, run: Run) -> Run:
    """Have the log say who did what to whom; never a password, nor what was announced."""

    @functools.wraps(run)
    async def run_on_record(request: Request) -> Outcome:
        outcome = run(request)
        done = await outcome if is_awaitable(outcome) else outcome
        whom = [*request.answers.jids("accountjid"), *request.answers.jids("accountjids")]
        request.server.log.info("administered", command=name, admin=request.asker, accounts=whom)
        return done

    return run_on_record


Run = Callable[[Request], Outcome | Awaitable[Outcome]]

COMMANDS: Final = (
    _command("add-user", "Add an account", add_user, _ACCOUNT, _PASSWORD, _PASSWORD_AGAIN),
    _command("delete-user", "Remove accounts", delete_users, _ACCOUNTS),
    _command("disable-user", "Disable accounts", disable_users, _ACCOUNTS),
    _command("reenable-user", "Enable accounts again", enable_users, _ACCOUNTS),
    _command("end-user-session", "End sessions", end_sessions, _SESSIONS),
    _command("change-user-password", "Change a password", change_password, _ACCOUNT, _PASSWORD),
    _command("get-user-roster", "Contacts of an account", get_roster, _ONE_ACCOUNT),
    _command("get-user-lastlogin", "When somebody was last here", get_last_login, _ONE_ACCOUNT),
    _command("user-stats", "Statistics of an account", get_statistics, _ACCOUNT),
    *(_command(f"get-{group.name}-users-num", group.title("Number of"), group.count) for group in GROUPS),
    *(_command(group.listing, group.title("List of"), group.list, _MAX_ITEMS) for group in GROUPS),
    _command("announce", "Announce something to everybody online", announce, _SUBJECT, _ANNOUNCEMENT),
)


@hookimpl
def register_commands() -> Iterable[Command]:
    """Let admins look after accounts from their client."""
    return COMMANDS


# Below: who is meant


def _account(request: Request) -> JID:
    jid = request.answers.jid("accountjid")
    assert jid is not None
    return _check_is_here(request.server, jid)


async def _accounts(request: Request) -> list[JID]:
    """Read which accounts are meant; if one is unknown, nothing is done for any."""
    jids = [*request.answers.jids("accountjid"), *request.answers.jids("accountjids")]
    meant = list(dict.fromkeys(_check_is_here(request.server, jid) for jid in jids))
    for account in meant:
        if not await request.server.store.accounts.exists(account):
            raise _unknown(account)
    return meant


async def _others(request: Request) -> list[JID]:
    meant = await _accounts(request)
    if request.asker.bare in meant:
        raise StanzaError("not-allowed", "That would be your own account")
    return meant


def _check_is_here(server: Server, jid: JID) -> JID:
    if not jid.local or jid.domain != server.domain:
        raise StanzaError("not-acceptable", f"Accounts here are called <name>@{server.domain}, not {jid}")
    return jid.bare


def _unknown(account: JID) -> StanzaError:
    return StanzaError("item-not-found", f"There is no account {account}")


async def _all_accounts(server: Server) -> AsyncIterator[Account]:
    after = ""
    while page := await server.store.accounts.list(after, PAGE):
        for account in page:
            yield account
        after = page[-1].owner


def _online(server: Server) -> Collection[JID]:
    return dict.fromkeys(session.bare for session in server.sessions if session.host is None)


def _is_active(server: Server, account: JID) -> bool:
    return any(
        session.is_connected
        and session.is_looked_at
        and session.presence is not None
        and session.presence.show not in ("away", "xa")
        for session in server.sessions.of(account)
    )


# Below: how it is done


async def _credentials(server: Server, password: str) -> list[StoredCredentials]:
    try:
        made = await asyncio.to_thread(
            make_credentials,
            password,
            iterations=server.settings.sasl.iterations,
            salt=secrets.token_bytes(SALT_LENGTH),
        )
    except PasswordError as error:
        raise StanzaError("not-acceptable", str(error).capitalize()) from error
    return [StoredCredentials(*astuple(one)) for one in made]


async def _end_sessions(server: Server, accounts: Collection[JID], error: StreamError) -> None:
    await _end(server, [session for session in server.sessions if session.bare in accounts], error)


async def _end(server: Server, sessions: Collection[Session], error: StreamError) -> None:
    closing = []
    for session in sessions:
        if session.outlet is not None:
            session.outlet.end(error)
        closing.append(asyncio.ensure_future(lifecycle.close_session(server, session)))
        server.spawn(closing[-1])
    if closing:
        # Two admins who end each other's sessions must not wait for each other.
        await asyncio.wait(closing, timeout=PATIENCE)


async def _leave_contacts(server: Server, account: JID) -> None:
    """Undo all subscriptions: whoever gets this address next must not inherit them (RFC 6121, 3.2 and 3.3)."""
    roster = await find_roster(server, account)
    for contact in roster.viewed:
        await tell(server, Presence(sender=account, to=contact, type="unsubscribe"))
    for contact in roster.viewers:
        await tell(server, Presence(sender=account, to=contact, type="unsubscribed"))


def _result(*fields: Field) -> Form:
    return Form(fields, type=NAMESPACE)


def _done(text: str) -> Outcome:
    return Outcome((Note(text),))
