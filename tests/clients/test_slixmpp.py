"""What slixmpp, the library behind many bots and clients, does with the server over TLS."""

import asyncio
import ssl
from datetime import datetime, timedelta
from typing import ClassVar

import aiohttp
import pytest
from slixmpp import JID, ElementBase, Iq, Message, Presence, register_stanza_plugin
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0049 import PrivateXML

from tests.clients.conftest import SignIn
from tests.clients.running import Account

SERVER = JID("localhost")
MECHANISMS = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"]
if "tls-exporter" in ssl.CHANNEL_BINDING_TYPES:  # Python 3.15 and newer
    MECHANISMS += [f"{mechanism}-PLUS" for mechanism in MECHANISMS if mechanism != "PLAIN"]


class Note(ElementBase):
    """Something a client keeps on the server for itself."""

    name = plugin_attrib = "note"
    namespace = "tests:note"
    interfaces: ClassVar[set[str]] = {"text"}
    sub_interfaces: ClassVar[set[str]] = {"text"}


@pytest.mark.parametrize("direct_tls", [False, True], ids=["STARTTLS", "direct TLS"])
@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_signs_in_over_tls(sign_in: SignIn, ana: Account, mechanism: str, direct_tls: bool) -> None:
    client = await sign_in(ana, "desk", mechanism=mechanism, direct_tls=direct_tls)

    assert client.address == f"{ana.address}/desk"
    assert client.mechanism == mechanism


async def test_signs_in_over_tls_1_2_where_slixmpp_binds_to_the_channel_in_a_way_of_the_past(
    sign_in: SignIn, ana: Account
) -> None:
    client = await sign_in(ana, newest_tls=ssl.TLSVersion.TLSv1_2)

    assert client.tls_version == "TLSv1.2"


async def test_a_wrong_password_does_not_sign_in(sign_in: SignIn, ana: Account) -> None:
    with pytest.raises(PermissionError):
        await sign_in(Account(ana.address, "wrong"))


async def test_a_subscription_shows_each_the_other(sign_in: SignIn, ana: Account, luis: Account) -> None:
    ana_client, luis_client = await sign_in(ana), await sign_in(luis)

    ana_client.xmpp.send_presence_subscription(luis.address)  # slixmpp says yes, and asks back
    await ana_client.sees_online(luis_client.address)
    await luis_client.sees_online(ana_client.address)

    await ana_client.receives(
        Iq, lambda iq: iq["roster"]["items"].get(luis.address, {}).get("subscription") == "both"
    )
    luis_client.xmpp.send_presence(pshow="dnd", pstatus="in a meeting")
    await ana_client.receives(Presence, lambda p: p["show"] == "dnd" and p["status"] == "in a meeting")
    await luis_client.leave()
    await ana_client.receives(
        Presence, lambda p: p["type"] == "unavailable" and p["from"] == luis_client.address
    )


async def test_the_roster_is_there_after_signing_in_again(
    sign_in: SignIn, ana: Account, luis: Account
) -> None:
    client = await sign_in(ana)
    saved = client.xmpp.update_roster(JID(luis.address), name="Luís", groups=["Soporte"])
    assert saved is not None
    await saved
    await client.leave()

    client = await sign_in(ana)

    entry = client.xmpp.client_roster[luis.address]
    assert (entry["name"], entry["groups"]) == ("Luís", ["Soporte"])


async def test_a_message_arrives_and_its_receipt_comes_back(
    sign_in: SignIn, ana: Account, luis: Account
) -> None:
    ana_client, luis_client = await sign_in(ana), await sign_in(luis)
    ana_client.xmpp.plugin["xep_0184"].auto_request = True

    message = ana_client.say(luis.address, "¿Qué tal? 👩‍👩‍👧 <&>\"' שלום")

    heard = await luis_client.hears("¿Qué tal? 👩‍👩‍👧 <&>\"' שלום")
    assert heard["from"] == ana_client.address
    await ana_client.receives(Message, lambda receipt: receipt["receipt"] == message["id"])


async def test_typing_is_seen_both_ways(sign_in: SignIn, ana: Account, luis: Account) -> None:
    ana_client, luis_client = await sign_in(ana), await sign_in(luis)

    ana_client.show_typing(luis.address)
    await luis_client.sees_typing(ana.address)
    luis_client.show_typing(ana_client.address, "paused")
    await ana_client.sees_typing(luis.address, "paused")


async def test_carbons_keep_two_resources_in_step(sign_in: SignIn, ana: Account, luis: Account) -> None:
    phone, desk, luis_client = await sign_in(ana, "phone"), await sign_in(ana, "desk"), await sign_in(luis)

    phone.say(luis.address, "sent from the phone")
    luis_client.say(phone.address, "only to the phone")

    sent = await desk.receives(Message, lambda message: bool(message.get_plugin("carbon_sent", check=True)))
    assert sent["carbon_sent"]["body"] == "sent from the phone"
    received = await desk.receives(
        Message, lambda message: bool(message.get_plugin("carbon_received", check=True))
    )
    assert received["carbon_received"]["body"] == "only to the phone"
    await phone.hears("only to the phone")


async def test_a_message_to_nobody_waits_with_its_date(sign_in: SignIn, ana: Account, luis: Account) -> None:
    ana_client = await sign_in(ana)
    ana_client.say(luis.address, "for later")
    await ana_client.xmpp.plugin["xep_0199"].ping(SERVER)

    luis_client = await sign_in(luis)

    message = await luis_client.hears("for later")
    assert message["delay"]["stamp"] is not None


async def test_the_archive_is_read_page_by_page(sign_in: SignIn, ana: Account, luis: Account) -> None:
    ana_client, luis_client = await sign_in(ana), await sign_in(luis)
    said = [f"message {n}" for n in range(25)]
    for text in said:
        ana_client.say(luis.address, text)
    await luis_client.hears(said[-1])

    assert await ana_client.history(luis.address, page=10) == said
    assert await luis_client.history(ana.address, page=7) == said
    assert await luis_client.history("stranger@localhost") == []
    assert await luis_client.history(ana.address, page=5, newest=8) == said[:-9:-1]


async def test_a_file_is_uploaded_and_downloaded(
    sign_in: SignIn, ana: Account, luis: Account, web: aiohttp.ClientSession
) -> None:
    client = await sign_in(ana)
    upload = client.xmpp.plugin["xep_0363"]
    contents = bytes(range(256)) * 500
    service = await upload.find_upload_service()
    assert service is not None

    answer = await upload.request_slot(
        service["from"], "años & días.bin", len(contents), "application/octet-stream"
    )
    slot = answer["http_upload_slot"]
    headers = {header["name"]: header["value"] for header in slot["put"]["headers"]}
    async with web.put(slot["put"]["url"], data=contents, headers=headers) as response:
        assert response.status == 201

    async with web.get(slot["get"]["url"]) as response:
        assert await response.read() == contents
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    async with web.get(slot["get"]["url"], headers={"Range": "bytes=10-19"}) as response:
        assert response.status == 206
        assert await response.read() == contents[10:20]


async def test_a_file_too_large_is_refused_before_the_upload(sign_in: SignIn, ana: Account) -> None:
    client = await sign_in(ana)
    upload = client.xmpp.plugin["xep_0363"]
    service = await upload.find_upload_service()
    assert service is not None

    with pytest.raises(IqError) as refusal:
        await upload.request_slot(service["from"], "film.mkv", 10**12)

    assert refusal.value.condition == "not-acceptable"
    assert "file-too-large" in str(refusal.value.iq)


async def test_a_blocked_contact_is_not_heard(sign_in: SignIn, ana: Account, luis: Account) -> None:
    ana_client, luis_client = await sign_in(ana), await sign_in(luis)
    blocking = ana_client.xmpp.plugin["xep_0191"]

    await blocking.block(JID(luis.address))
    message = luis_client.say(ana.address, "do you hear me?")
    error = await luis_client.receives(Message, lambda m: m["type"] == "error" and m["id"] == message["id"])
    assert error["error"]["condition"] == "service-unavailable"
    assert await blocking.get_blocked_jids() == {luis.address}

    await blocking.unblock(JID(luis.address))
    luis_client.say(ana.address, "and now?")
    await ana_client.hears("and now?")
    assert ana_client.bodies() == []


async def test_a_cut_connection_is_resumed_and_misses_nothing(
    sign_in: SignIn, ana: Account, luis: Account
) -> None:
    ana_client, luis_client = await sign_in(ana), await sign_in(luis)
    await ana_client.happens("sm_enabled")
    address = ana_client.address
    said = [f"while you were away {n}" for n in range(5)]

    await ana_client.cut()
    for text in said:
        luis_client.say(address, text)
    ana_client.say(luis.address, "written in the tunnel")
    ana_client.connect()

    await ana_client.happens("session_resumed")
    for text in said:
        assert (await ana_client.receives(Message, lambda message: bool(message["body"])))["body"] == text
    await luis_client.hears("written in the tunnel")
    luis_client.say(address, "still the same session")
    await ana_client.hears("still the same session")
    assert ana_client.bodies() == []


async def test_what_a_dead_session_did_not_acknowledge_is_in_the_archive_once(
    sign_in: SignIn, ana: Account, luis: Account
) -> None:
    ana_client, luis_client = await sign_in(ana, "old phone"), await sign_in(luis)
    await ana_client.cut()
    luis_client.say(ana.address, "first")
    luis_client.say(ana.address, "second")
    await luis_client.xmpp.plugin["xep_0199"].ping(SERVER)

    new_phone = await sign_in(ana, "new phone")

    assert await new_phone.history(luis.address) == ["first", "second"]


async def test_an_inactive_client_still_hears_and_knows_the_presence_when_it_is_back(
    sign_in: SignIn, ana: Account, luis: Account
) -> None:
    ana_client, luis_client = await sign_in(ana), await sign_in(luis)
    await ana_client.befriend(luis_client)

    ana_client.xmpp.plugin["xep_0352"].send_inactive()  # type: ignore[no-untyped-call]
    luis_client.xmpp.send_presence(pshow="away")
    luis_client.xmpp.send_presence(pshow="xa")
    luis_client.say(ana.address, "wake up")
    await ana_client.hears("wake up")

    ana_client.xmpp.plugin["xep_0352"].send_active()  # type: ignore[no-untyped-call]
    await ana_client.receives(Presence, lambda p: p["show"] == "xa" and p["from"] == luis_client.address)


async def test_a_vcard_is_seen_by_others(sign_in: SignIn, ana: Account, luis: Account) -> None:
    ana_client, luis_client = await sign_in(ana), await sign_in(luis)
    card = ana_client.xmpp.plugin["xep_0054"].make_vcard()
    card["FN"] = "Ana Núñez"

    await ana_client.xmpp.plugin["xep_0054"].publish_vcard(card)

    seen = await luis_client.xmpp.plugin["xep_0054"].get_vcard(JID(ana.address), cached=False)
    assert seen["vcard_temp"]["FN"] == "Ana Núñez"


async def test_private_storage_keeps_a_note(sign_in: SignIn, ana: Account) -> None:
    register_stanza_plugin(PrivateXML, Note)
    note = Note()
    note["text"] = "call Luís"

    client = await sign_in(ana, "first")
    await client.xmpp.plugin["xep_0049"].store(note)
    client = await sign_in(ana, "second")
    kept = await client.xmpp.plugin["xep_0049"].retrieve("note")

    assert kept["private"]["note"]["text"] == "call Luís"


async def test_the_server_says_what_it_can_do(sign_in: SignIn, ana: Account) -> None:
    client = await sign_in(ana)
    disco = client.xmpp.plugin["xep_0030"]

    server, account = await asyncio.gather(
        disco.get_info(jid=SERVER, cached=False), disco.get_info(jid=JID(ana.address), cached=False)
    )

    assert {
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/disco#items",
        "jabber:iq:version",
        "urn:xmpp:blocking",
        "urn:xmpp:carbons:2",
        "urn:xmpp:ping",
        "urn:xmpp:time",
        "vcard-temp",
    } <= server["disco_info"]["features"]
    assert "urn:xmpp:mam:2" in account["disco_info"]["features"]
    assert ("account", "registered") in {identity[:2] for identity in account["disco_info"]["identities"]}


async def test_the_server_answers_ping_version_and_time(sign_in: SignIn, ana: Account) -> None:
    client = await sign_in(ana)

    await client.xmpp.plugin["xep_0199"].ping(SERVER)
    version = await client.xmpp.plugin["xep_0092"].get_version(SERVER)
    time = await client.xmpp.plugin["xep_0202"].get_entity_time(SERVER)

    assert version["software_version"]["name"] == "imserver"
    # slixmpp 1.17 adds another Z before it parses it: ask for the text.
    utc = time["entity_time"].xml.findtext("{urn:xmpp:time}utc")
    assert datetime.fromisoformat(utc).utcoffset() == timedelta(0)
