"""XEP-0133, as admins see it."""

import pytest

from imserver.features.administration import COMMANDS
from imserver.storage.rosters import RosterItem
from imserver.stream.scram import ScramCredentials, verify_password
from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from tests.scenes.actors import Actor, Stage

NS = "http://jabber.org/protocol/commands"
ADMIN = "http://jabber.org/protocol/admin"


@pytest.fixture
async def admin(stage: Stage) -> Actor:
    """Somebody listed as an admin is online."""
    return await stage.comes_online("admin")


def field(name: str, *values: str) -> str:
    return f"<field var='{name}'>{''.join(f'<value>{value}</value>' for value in values)}</field>"


async def begins(actor: Actor, name: str) -> Element:
    return await actor.asks(
        f"<iq type='set' id='1' to='localhost'><command xmlns='{NS}' node='{ADMIN}#{name}' action='execute'/></iq>"
    )


async def runs(actor: Actor, name: str, *fields: str) -> Element:
    """Open the form of a command, fill it in, and return what comes of it."""
    command = (await begins(actor, name)).child("command", NS)
    assert command is not None
    form = f"<x xmlns='jabber:x:data' type='submit'>{field('FORM_TYPE', ADMIN)}{''.join(fields)}</x>"
    return await actor.asks(
        f"<iq type='set' id='2' to='localhost'><command xmlns='{NS}' node='{ADMIN}#{name}'"
        f" sessionid='{command.get('sessionid')}'>{form}</command></iq>"
    )


def result(answer: Element) -> dict[str, list[str]]:
    """Read the fields of a result."""
    command = answer.child("command", NS)
    assert command is not None, answer
    assert command.get("status") == "completed", answer
    form = command.child("x", "jabber:x:data")
    assert form is not None, answer
    fields = {one.get("var"): [value.text for value in one.all("value")] for one in form.all("field")}
    assert fields.pop("FORM_TYPE") == [ADMIN]
    return fields


async def knows_password(stage: Stage, account: str, password: str) -> bool:
    stored = await stage.server.store.accounts.credentials(account)
    return bool(stored) and all(
        verify_password(
            password,
            ScramCredentials(one.mechanism, one.salt, one.iterations, one.stored_key, one.server_key),
        )
        for one in stored
    )


# Who may


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.node.partition("#")[2])
async def test_everybody_else_is_refused(ana: Actor, command: object) -> None:
    name = getattr(command, "node", "").partition("#")[2]

    refused = await begins(ana, name)

    assert "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" in str(refused)


async def test_only_admins_see_the_commands(ana: Actor, admin: Actor) -> None:
    asked = f"<iq type='get' id='1' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items' node='{NS}'/></iq>"

    assert ADMIN not in str(await ana.asks(asked))
    assert str(await admin.asks(asked)).count(f"node='{ADMIN}#") == len(COMMANDS)


@pytest.mark.settings(admins=[])
async def test_without_admins_nobody_may(admin: Actor) -> None:
    assert "<forbidden " in str(await begins(admin, "add-user"))


async def test_what_admins_do_is_in_the_log_without_passwords(stage: Stage, admin: Actor) -> None:
    await runs(
        admin,
        "add-user",
        field("accountjid", "eva@localhost"),
        field("password", "hush hush"),
        field("password-verify", "hush hush"),
    )

    line = next(entry for entry in stage.log.entries if entry["event"] == "administered")
    assert line["command"] == "add-user"
    assert line["admin"] == admin.jid
    assert line["accounts"] == ["eva@localhost"]
    assert "hush" not in str(stage.log.entries)


# Accounts


async def test_the_form_asks_for_address_and_password(admin: Actor) -> None:
    await admin.sends(
        f"<iq type='set' id='1' to='localhost'><command xmlns='{NS}' node='{ADMIN}#add-user'/></iq>"
    )

    await admin.receives(
        f"<iq type='result' id='1' from='localhost' to='admin@localhost/stage'><command xmlns='{NS}'"
        f" node='{ADMIN}#add-user' sessionid='…' status='executing'><actions execute='complete'><complete/></actions>"
        "<x xmlns='jabber:x:data' type='form'><title>Add an account</title>"
        f"<field var='FORM_TYPE' type='hidden'><value>{ADMIN}</value></field>"
        "<field var='accountjid' type='jid-single' label='Account'><required/></field>"
        "<field var='password' type='text-private' label='Password'><required/></field>"
        "<field var='password-verify' type='text-private' label='The password again'><required/></field>"
        "</x></command></iq>"
    )


async def test_an_added_account_can_log_in(stage: Stage, admin: Actor) -> None:
    done = await runs(
        admin,
        "add-user",
        field("accountjid", "EVA@localhost"),
        field("password", "contraseña"),
        field("password-verify", "contraseña"),
    )

    assert "<note type='info'>eva@localhost can log in now.</note>" in str(done)
    assert await knows_password(stage, "eva@localhost", "contraseña")


@pytest.mark.parametrize(
    ("account", "password", "again", "condition"),
    [
        ("eva@localhost", "one", "two", "not-acceptable"),
        ("eva@localhost", "a\tb", "a\tb", "not-acceptable"),
        ("eva@example.com", "one", "one", "not-acceptable"),
        ("localhost", "one", "one", "not-acceptable"),
        ("@localhost", "one", "one", "bad-request"),
        ("", "one", "one", "bad-request"),
        ("eva@localhost", "", "", "bad-request"),
        ("ana@localhost", "one", "one", "conflict"),
    ],
)
async def test_an_account_that_cannot_be_is_not_added(
    stage: Stage, ana: Actor, admin: Actor, account: str, password: str, again: str, condition: str
) -> None:
    refused = await runs(
        admin,
        "add-user",
        field("accountjid", account),
        field("password", password),
        field("password-verify", again),
    )

    assert f"<{condition} " in str(refused)
    assert not await stage.server.store.accounts.exists("eva@localhost")


async def test_a_changed_password_counts(stage: Stage, ana: Actor, admin: Actor) -> None:
    await runs(
        admin, "change-user-password", field("accountjid", "ana@localhost"), field("password", "new one")
    )

    assert await knows_password(stage, "ana@localhost", "new one")
    assert not await knows_password(stage, "ana@localhost", "open sesame")


async def test_an_unknown_account_gets_no_password(admin: Actor) -> None:
    refused = await runs(
        admin, "change-user-password", field("accountjid", "nobody@localhost"), field("password", "new one")
    )

    assert "<item-not-found " in str(refused)


async def test_a_removed_account_is_disconnected_and_forgotten(
    stage: Stage, ana: Actor, luis: Actor, admin: Actor
) -> None:
    done = await runs(admin, "delete-user", field("accountjids", "ana@localhost", "luis@localhost"))

    assert "Removed: ana@localhost, luis@localhost." in str(done)
    assert "<not-authorized " in str((await ana.is_disconnected())[0])
    assert "<not-authorized " in str((await luis.is_disconnected())[0])
    assert not stage.server.sessions.of(ana.jid.bare)
    assert await stage.server.store.accounts.count() == 1


async def test_the_contacts_of_a_removed_account_lose_it(stage: Stage, admin: Actor) -> None:
    await stage.friends("ana", "luis")
    await stage.comes_online("luis")

    await runs(admin, "delete-user", field("accountjids", "ana@localhost"))
    await stage.settles()

    left = await stage.server.store.rosters.load("luis@localhost")
    assert [item.subscription for item in left] == ["none"]
    assert await stage.server.store.rosters.load("ana@localhost") == []


async def test_a_disabled_account_is_disconnected_and_kept_until_it_is_enabled(
    stage: Stage, ana: Actor, admin: Actor
) -> None:
    await runs(admin, "disable-user", field("accountjids", "ana@localhost"))
    said = await ana.is_disconnected()
    locked_out = await stage.server.store.accounts.credentials("ana@localhost")
    await runs(admin, "reenable-user", field("accountjids", "ana@localhost"))

    assert "<not-authorized " in str(said[0])
    assert locked_out == []
    await stage.comes_online("ana")


@pytest.mark.parametrize("name", ["delete-user", "disable-user"])
async def test_admins_do_not_saw_off_the_branch_they_sit_on(stage: Stage, admin: Actor, name: str) -> None:
    refused = await runs(admin, name, field("accountjids", "admin@localhost"))

    assert "<not-allowed " in str(refused)
    assert (await stage.server.store.accounts.credentials("admin@localhost")) != []


@pytest.mark.parametrize("name", ["delete-user", "disable-user", "reenable-user", "end-user-session"])
async def test_if_one_account_is_unknown_nothing_is_done(
    stage: Stage, ana: Actor, admin: Actor, name: str
) -> None:
    refused = await runs(admin, name, field("accountjids", "ana@localhost", "nobody@localhost"))

    assert "<item-not-found " in str(refused)
    assert await stage.server.store.accounts.credentials("ana@localhost") != []
    await ana.receives_nothing()


async def test_one_session_or_all_of_an_account_are_ended(stage: Stage, ana: Actor, admin: Actor) -> None:
    phone = await stage.comes_online("ana", "phone")
    desk = await stage.comes_online("ana", "desk")

    await runs(admin, "end-user-session", field("accountjids", "ana@localhost/phone"))
    assert "<policy-violation " in str((await phone.is_disconnected())[-2])
    assert len(stage.server.sessions.of(ana.jid.bare)) == 2

    await runs(admin, "end-user-session", field("accountjids", "ana@localhost"))
    await desk.is_disconnected()
    await ana.is_disconnected()
    await stage.comes_online("ana")


async def test_admins_stay_connected_when_they_end_their_own_sessions(stage: Stage, admin: Actor) -> None:
    phone = await stage.comes_online("admin", "phone")

    done = await runs(admin, "end-user-session", field("accountjids", "admin@localhost"))

    await phone.is_disconnected()
    assert "<note type='info'>Ended: 1.</note><note type='warn'>Your own session goes on.</note>" in str(done)
    assert len(stage.server.sessions.of(admin.jid.bare)) == 1


# About an account


async def test_the_contacts_of_an_account_are_shown(stage: Stage, ana: Actor, admin: Actor) -> None:
    luis = RosterItem("luis@localhost", name="Luis", subscription="both", groups=("Friends",))
    await stage.server.store.rosters.put("eva@localhost", luis)
    await stage.account("eva")

    answer = await runs(admin, "get-user-roster", field("accountjids", "eva@localhost"))

    assert result(answer) == {"accountjids": ["eva@localhost"], "roster": ["luis@localhost (both)"]}
    assert "<query xmlns='jabber:iq:roster'><item jid='luis@localhost' " in str(answer)
    assert "<group>Friends</group>" in str(answer)


async def test_somebody_who_is_here_was_last_here_now(ana: Actor, admin: Actor) -> None:
    answer = await runs(admin, "get-user-lastlogin", field("accountjids", "ana@localhost"))

    assert result(answer) == {"accountjids": ["ana@localhost"], "lastlogin": ["now"]}


async def test_somebody_may_never_have_been_here(stage: Stage, admin: Actor) -> None:
    await stage.account("ana")

    answer = await runs(admin, "get-user-lastlogin", field("accountjids", "ana@localhost"))

    assert result(answer)["lastlogin"] == ["never"]


async def test_statistics_count_contacts_and_resources(stage: Stage, admin: Actor) -> None:
    await stage.friends("ana", "luis", "eva")
    await stage.comes_online("ana", "phone")
    await stage.comes_online("ana", "desk")

    answer = await runs(admin, "user-stats", field("accountjid", "ana@localhost"))

    assert result(answer) == {"rostersize": ["2"], "onlineresources": ["phone", "desk"]}


@pytest.mark.parametrize(
    ("name", "asked"),
    [("get-user-roster", "accountjids"), ("get-user-lastlogin", "accountjids"), ("user-stats", "accountjid")],
)
async def test_nothing_is_told_of_an_unknown_account(admin: Actor, name: str, asked: str) -> None:
    assert "<item-not-found " in str(await runs(admin, name, field(asked, "nobody@localhost")))


# Who there is


@pytest.fixture
async def crowd(stage: Stage, admin: Actor) -> None:
    """One is active, one away, one hides the window, one disabled, one offline; and the admin."""
    await stage.comes_online("ana")
    away = await stage.comes_online("luis")
    await away.sends("<presence><show>away</show></presence>")
    hidden = await stage.comes_online("eva")
    await hidden.sends("<inactive xmlns='urn:xmpp:csi:0'/>")
    await stage.account("noa")
    await stage.account("sol")
    await stage.server.store.accounts.disable("sol@localhost")
    await away.swallows()


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    ("group", "listing", "members"),
    [
        ("registered", "get-registered-users-list", ["admin", "ana", "eva", "luis", "noa", "sol"]),
        ("disabled", "get-disabled-users-list", ["sol"]),
        ("online", "get-online-users-list", ["admin", "ana", "eva", "luis"]),
        ("active", "get-active-users", ["admin", "ana"]),
        ("idle", "get-idle-users", ["eva", "luis"]),
    ],
)
async def test_users_are_counted_and_listed(
    admin: Actor, group: str, listing: str, members: list[str]
) -> None:
    number = await begins(admin, f"get-{group}-users-num")
    names = await runs(admin, listing, field("max_items", "none"))

    assert result(number) == {f"{group}usersnum": [str(len(members))]}
    assert sorted(result(names)[f"{group}userjids"]) == [f"{name}@localhost" for name in members]
    assert "There are more" not in str(names)


async def test_a_list_is_as_long_as_asked_for_and_says_that_there_are_more(
    stage: Stage, admin: Actor
) -> None:
    for number in range(30):
        await stage.account(f"user-{number:02}")

    names = await runs(admin, "get-registered-users-list", field("max_items", "25"))

    assert len(result(names)["registereduserjids"]) == 25
    assert "<note type='warn'>There are more.</note>" in str(names)


# To everybody


async def test_an_announcement_reaches_everybody_online(stage: Stage, ana: Actor, admin: Actor) -> None:
    absent = await stage.account("luis")

    await admin.sends(
        f"<iq type='set' id='1' to='localhost'><command xmlns='{NS}' node='{ADMIN}#announce'/></iq>"
    )
    form = (await admin.hears()).child("command", NS)
    assert form is not None
    await admin.sends(
        f"<iq type='set' id='2' to='localhost'><command xmlns='{NS}' node='{ADMIN}#announce'"
        f" sessionid='{form.get('sessionid')}'><x xmlns='jabber:x:data' type='submit'>"
        f"{field('subject', 'Tonight')}{field('announcement', 'We stop at ten.', 'Back at eleven.')}</x></command></iq>"
    )

    await ana.receives(
        "<message type='headline' from='localhost' to='ana@localhost/stage'>"
        "<subject>Tonight</subject><body>We stop at ten.\nBack at eleven.</body></message>"
    )
    assert JID.parse("luis@localhost") == absent
    assert "Sent to 2 sessions." in str(await admin.swallows())


async def test_an_announcement_says_something(admin: Actor) -> None:
    assert "<bad-payload " in str(await runs(admin, "announce", field("announcement", "")))
