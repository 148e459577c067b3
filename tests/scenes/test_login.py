"""RFC 6120, 6: logging in."""

import base64

import pytest

from tests.scenes.actors import Actor, Stage
from tests.scenes.doors import SASL, condition_of, sasl, tries


@pytest.fixture
async def stranger(stage: Stage) -> Actor:
    """Ana, before she has logged in."""
    await stage.account("ana")
    actor = await stage.connects()
    await actor.opens_stream()
    return actor


async def test_who_knows_the_password_may_enter(stranger: Actor) -> None:
    assert (await tries(stranger)).name == "success"


async def test_who_does_not_may_try_again(stranger: Actor) -> None:
    assert (await tries(stranger, password="guess")).child("not-authorized")
    assert (await tries(stranger)).name == "success"


async def test_who_tries_too_often_is_cut(stranger: Actor) -> None:
    for _ in range(5):
        assert (await tries(stranger, password="guess")).child("not-authorized")

    assert condition_of(await stranger.is_disconnected()) == "policy-violation"


async def test_a_stranger_cannot_tell_who_has_an_account(stage: Stage) -> None:
    # RFC 6120, 13.11: there is a challenge for both, with the same salt at each try, and the same refusal.
    answers = []
    for is_there in (True, False):
        if is_there:
            await stage.account("ana")
        else:
            await stage.server.store.accounts.remove(await stage.account("ana"))
        actor = await stage.connects()
        await actor.opens_stream()
        answers.append(await tries(actor, password="guess"))

    assert answers[0] == answers[1]


async def test_a_client_may_change_its_mind(stranger: Actor) -> None:
    await stranger.sends(sasl("auth", b"n,,n=ana,r=client", " mechanism='SCRAM-SHA-256'"))
    assert (await stranger.hears()).name == "challenge"

    await stranger.sends(f"<abort xmlns='{SASL}'/>")

    await stranger.receives(f"<failure xmlns='{SASL}'><aborted/></failure>")
    assert (await tries(stranger)).name == "success"


async def test_nobody_acts_as_somebody_else(stage: Stage, stranger: Actor) -> None:
    # ejabberd 26.07: authenticate as one user, open a session for another.
    await stage.account("boss")

    answer = await tries(stranger, gs2="n,a=boss@localhost,")

    assert answer.child("invalid-authzid")


async def test_one_may_say_who_one_is_twice(stranger: Actor) -> None:
    assert (await tries(stranger, gs2="n,a=ana@localhost,")).name == "success"


@pytest.mark.parametrize(
    ("xml", "condition"),
    [
        (f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>", "invalid-mechanism"),
        (f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256'>***</auth>", "incorrect-encoding"),
        (f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256'>bm90IHRoaXM=</auth>", "malformed-request"),
        (f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256-PLUS'>biwsbj1hbmEscj0x</auth>", "invalid-mechanism"),
    ],
)
async def test_a_bad_try_is_refused_with_its_reason(stranger: Actor, xml: str, condition: str) -> None:
    await stranger.sends(xml)

    assert (await stranger.hears()).child(condition)


@pytest.mark.parametrize("text", ["", "="])
async def test_a_login_may_begin_with_nothing(stranger: Actor, text: str) -> None:
    # RFC 6120, 6.4.2
    await stranger.sends(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256'>{text}</auth>")

    answer = await stranger.hears()

    assert (answer.name, bool(text)) in (("challenge", False), ("failure", True))


async def test_the_host_stays_the_same_after_login(stranger: Actor) -> None:
    # CVE-2018-10847
    await tries(stranger)

    await stranger.sends(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client'"
        " xmlns:stream='http://etherx.jabber.org/streams' to='victim.example' version='1.0'>"
    )

    await stranger._reader.readuntil(b"<host-unknown")


async def test_nothing_is_served_before_login(stranger: Actor) -> None:
    await stranger.sends("<message to='ana@localhost'><body>Hi</body></message>")

    assert condition_of(await stranger.is_disconnected()) == "not-authorized"


async def test_passwords_and_bodies_are_in_no_log(stage: Stage, stranger: Actor) -> None:
    await tries(stranger, password="a secret guess")
    ana = await stage.comes_online("ana")
    await ana.sends("<message to='ana@localhost'><body>a secret message</body></message>")
    await ana.swallows()

    assert "a secret" not in str(stage.log.entries)
    assert "logged in" in str(stage.log.entries)


@pytest.mark.settings(sasl={"downgrade_protection": False})
async def test_what_was_offered_is_not_signed_for_clients_that_stumble_over_it(stranger: Actor) -> None:
    # COMPAT: Strophe.js before 1.6.3, and Converse.js with it, refuse a challenge with more than r, s and i.
    await stranger.sends(sasl("auth", b"n,,n=ana,r=client", " mechanism='SCRAM-SHA-256'"))

    challenge = base64.b64decode((await stranger.hears()).text).decode()
    assert [part[0] for part in challenge.split(",")] == ["r", "s", "i"]
