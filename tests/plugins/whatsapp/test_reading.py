"""A webhook's body, item by item."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver_whatsapp import shapes
from imserver_whatsapp.reading import LARGEST_BODY, MOST_UPDATES, TooLarge, read_updates
from imserver_whatsapp.updates import (
    Broken,
    Called,
    Echo,
    Ignored,
    Inbound,
    Person,
    Status,
    SystemChange,
    TemplateChange,
    Trouble,
    Unreadable,
)
from tests.plugins.whatsapp.samples import ANA, SENT, envelope, inbound, message, read, status, value

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def names(updates: list[Any]) -> list[str]:
    return [type(update).__name__ for update in updates]


def test_a_message_says_who_wrote_it_to_which_number() -> None:
    update = inbound()

    assert update.sender == Person("351910000000", ANA["user_id"], ANA["parent_user_id"], "Ana", "ana.s")
    assert (update.account, update.number.id, update.number.shown) == ("42", "1122334455667", "351210000000")
    assert (update.id, update.sent, update.type) == ("wamid.1", SENT, "text")
    assert update.body.body == "Olá"


def test_all_of_a_batch_is_read_in_its_order() -> None:
    batch = {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": account,
                "changes": [
                    {
                        "field": "messages",
                        "value": value(
                            messages=[message(id=f"wamid.{account}{change}{one}") for one in range(2)],
                            statuses=[status("sent"), status("delivered")],
                        ),
                    }
                    for change in range(2)
                ],
            }
            for account in ("1", "2")
        ],
    }

    updates = list(read_updates(json.dumps(batch).encode()))

    assert names(updates) == ["Inbound", "Inbound", "Status", "Status"] * 4
    assert [one.id for one in updates if isinstance(one, Inbound)] == [
        f"wamid.{account}{change}{one}" for account in "12" for change in range(2) for one in range(2)
    ]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "text",
        17,
        [],
        {},
        {"id": "wamid.2"},
        {"from": "1555", "type": "text"},
        {"from": ["1555"], "id": "wamid.2"},
        {"from": "1555", "id": "x" * 1000, "type": "text"},
    ],
)
def test_one_broken_item_stops_nothing_else(broken: Any) -> None:
    contacts = [ANA, {**ANA, "wa_id": "1555", "user_id": "US.2"}]
    updates = read(
        value(
            contacts=contacts, messages=[message(), broken, message(id="wamid.3")], statuses=[status("sent")]
        )
    )

    assert names(updates) == ["Inbound", "Broken", "Inbound", "Status"]
    found = updates[1]
    assert isinstance(found, Broken)
    assert found.path == "entry[0].changes[0].value.messages[1]"
    assert found.raw == broken


def test_a_body_that_is_not_as_its_type_says_is_still_a_message() -> None:
    for body in ("Olá", {"body": {"deep": 1}}, ["x"], 17):
        update = inbound("text", body)
        assert isinstance(update.body, Unreadable)
        assert update.raw["text"] == body


def test_a_type_that_is_not_known_is_kept_with_all_it_said() -> None:
    update = inbound("hologram", {"beam": [1, 2]})

    assert isinstance(update.body, Unreadable)
    assert update.raw["hologram"] == {"beam": [1, 2]}


def test_fields_that_are_not_known_are_kept() -> None:
    update = inbound("text", {"body": "a", "mood": "fine"}, colour="red")

    assert update.body.model_dump()["mood"] == "fine"
    assert update.raw["colour"] == "red"


def test_numbers_as_texts_and_texts_as_numbers_are_the_same() -> None:
    update = inbound("text", {"body": "a"}, **{"from": 351910000000, "timestamp": SENT})

    assert (update.sent, update.sender.wa_id) == (SENT, "351910000000")


def test_what_stands_beside_a_message_can_be_anything() -> None:
    update = inbound(context="none", referral=17, errors=[3, {"code": "x"}, {"code": "131051"}])

    assert (update.context, update.referral) == (None, None)
    assert [error.code for error in update.errors] == [None, 131051]


@pytest.mark.parametrize("timestamp", ["", None, "soon", "-1", "1e99", "nan", [], "99999999999"])
def test_a_time_that_is_none_is_nought(timestamp: object) -> None:
    assert inbound(timestamp=timestamp).sent == 0


def test_somebody_with_a_user_id_only() -> None:
    contact = {"profile": {"username": "ana.s"}, "user_id": "PT.1"}
    written = {key: one for key, one in message(from_user_id="PT.1").items() if key != "from"}

    (update,) = read(value(contacts=[contact], messages=[written]))

    assert isinstance(update, Inbound)
    assert update.sender == Person("", "PT.1", "", "", "ana.s")


def test_a_message_that_does_not_say_who_wrote_it_is_by_the_only_contact() -> None:
    written = {key: one for key, one in message().items() if key != "from"}

    (one,) = read(value(messages=[written]))
    (of_two,) = read(value(contacts=[ANA, {**ANA, "wa_id": "2"}], messages=[written]))

    assert isinstance(one, Inbound)
    assert one.sender.wa_id == "351910000000"
    assert isinstance(of_two, Broken)


def test_contacts_are_told_apart() -> None:
    other = {"profile": {"name": "Eva"}, "wa_id": "34600000000", "user_id": "ES.2"}

    eva, stranger = read(
        value(
            contacts=[ANA, other],
            messages=[message(**{"from": "34600000000"}), message(**{"from": "34611111111"})],
        )
    )

    assert isinstance(eva, Inbound)
    assert isinstance(stranger, Inbound)
    assert eva.sender == Person("34600000000", "ES.2", "", "Eva")
    assert stranger.sender == Person("34611111111")


def test_the_same_message_in_another_envelope_has_the_same_key() -> None:
    first, again = read(value(messages=[message()]), value(messages=[message()], statuses=[]))

    assert isinstance(first, Inbound)
    assert isinstance(again, Inbound)
    assert first.key == again.key == ("message", "1122334455667", "wamid.1")


def test_a_status_and_its_errors() -> None:
    error = {"code": 131047, "title": "Re-engagement", "error_data": {"details": "24 hours"}, "new": 1}
    failed = status("failed", errors=[error], biz_opaque_callback_data="ours-1")

    (update,) = read({"metadata": {"phone_number_id": "1"}, "statuses": [failed]})

    assert isinstance(update, Status)
    assert (update.state, update.ours, update.recipient.wa_id) == ("failed", "ours-1", "351910000000")
    assert (update.errors[0].code, update.errors[0].details) == (131047, "24 hours")
    assert update.key == ("status", "1", "wamid.o", "failed")


def test_what_is_said_in_the_phones_app_is_an_echo() -> None:
    echo = {**message(), "from": "351210000000", "to": "351910000000", "to_user_id": "PT.1"}
    deleted = message("revoke", {"original_message_id": "wamid.0"}, to="351210000000")

    said, revoked = read(value(message_echoes=[echo, deleted]), field="smb_message_echoes")

    assert isinstance(said, Echo)
    assert isinstance(revoked, Echo)
    assert said.client.wa_id == revoked.client.wa_id == "351910000000"
    assert isinstance(revoked.body, shapes.Revoke)


def test_a_changed_number() -> None:
    system = message("system", {"type": "user_changed_number", "body": "A changed", "wa_id": "351920000000"})

    (update,) = read({**value(messages=[system]), "contacts": None})

    assert isinstance(update, SystemChange)
    assert (update.before.wa_id, update.after.wa_id) == ("351910000000", "351920000000")


def test_errors_that_are_about_nothing_else() -> None:
    error = {"code": 131000, "title": "Something went wrong", "error_data": {"details": "unsupported"}}

    found, trouble = read(value(messages=[message("interactive")], errors=[error]))

    assert isinstance(found, Inbound)
    assert isinstance(found.body, Unreadable)
    assert found.errors[0].details == "unsupported"
    assert isinstance(trouble, Trouble)
    assert trouble.error.code == 131000


def test_a_template_has_changed() -> None:
    change = {
        "event": "PAUSED",
        "message_template_id": 12,
        "message_template_name": "hello",
        "message_template_language": "pt_PT",
    }

    (update,) = read(change, field="message_template_status_update")

    assert isinstance(update, TemplateChange)
    assert (update.name, update.language, update.event) == ("hello", "pt_PT", "PAUSED")


def test_a_call_of_the_client_is_told_and_its_states_are_no_messages() -> None:
    call = {"id": "wacid.1", "from": "351910000000", "event": "connect", "direction": "USER_INITIATED"}
    ours = {**call, "direction": "BUSINESS_INITIATED"}

    called, other = read(value(calls=[call, ours], statuses=[status("RINGING")]), field="calls")

    assert isinstance(called, Called)
    assert isinstance(other, Ignored)


@pytest.mark.parametrize("field", ["history", "smb_app_state_sync", "account_update", "user_preferences", ""])
def test_what_is_not_for_us_is_ignored_and_kept(field: str) -> None:
    assert read({"a": 1}, field=field) == [Ignored(field, {"a": 1})]


def test_half_an_emoji_costs_a_character_and_not_the_body() -> None:
    body = json.dumps(envelope(value(messages=[message("text", {"body": "cut \ud83d"})]))).encode()

    (update,) = read_updates(body)

    assert isinstance(update, Inbound)
    assert update.body.body == "cut \ufffd"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"entry": [{"changes": [{"value": {"messages": [{"a": NaN}]}}]}]}',
        b"[" * 100_000,
        b'{"entry":' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"a":' * 90 + b"1" + b"}" * 90,
    ],
)
def test_what_is_no_envelope_is_one_broken_update(body: bytes) -> None:
    (update,) = read_updates(body)

    assert isinstance(update, Broken)


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLarge):
        list(read_updates(b" " * (LARGEST_BODY + 1)))


def test_too_many_updates_are_cut_off_and_told() -> None:
    updates = read(value(statuses=[{}] * (MOST_UPDATES + 5)))

    assert len(updates) == MOST_UPDATES + 1
    assert "more than" in str(updates[-1])


@given(ANYTHING)
def test_nothing_that_stands_anywhere_breaks_it(anything: Any) -> None:
    for body in (
        anything,
        {"entry": anything},
        {"entry": [{"id": anything, "changes": anything}]},
        envelope({"metadata": anything, "contacts": anything, "messages": [anything]}),
        envelope(value(messages=anything, statuses=anything, errors=anything)),
        envelope(value(messages=[message(), {**message(), "context": anything, "errors": anything}])),
        envelope(value(message_echoes=[anything]), field="smb_message_echoes"),
        envelope(anything, field="message_template_status_update"),
    ):
        list(read_updates(json.dumps(body).encode()))


def test_a_thousand_updates_are_a_thousand() -> None:
    body = json.dumps(envelope(value(messages=[message(id=f"wamid.{n}") for n in range(1_000)]))).encode()

    assert len({update.id for update in read_updates(body) if isinstance(update, Inbound)}) == 1_000
