"""Forms: what is written, and what of a submission is believed."""

import pytest

from imserver.xmpp.errors import StanzaError
from imserver.xmpp.forms import Answers, Field, Form, Option, Table, find_form, type_of, values_of
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse


def submission(fields: str, kind: str = "submit") -> str:
    return f"<x xmlns='jabber:x:data' type='{kind}'>{fields}</x>"


def field(name: str, *values: str) -> str:
    return f"<field var='{name}'>{''.join(f'<value>{value}</value>' for value in values)}</field>"


def read(form: Form, *fields: str, kind: str = "submit") -> Answers:
    return form.read(parse(submission("".join(fields), kind).encode()))


def test_a_form_asks_its_questions() -> None:
    form = Form(
        (
            Field("accountjid", "jid-single", "Who?", required=True, description="An account"),
            Field("max", "list-single", value="25", options=(Option("25"), Option("none", "All"))),
        ),
        type="http://example.com/kind",
        title="Hello",
        instructions="Fill in",
    )

    assert form.to_element() == parse(
        b"<x xmlns='jabber:x:data' type='form'><title>Hello</title><instructions>Fill in</instructions>"
        b"<field var='FORM_TYPE' type='hidden'><value>http://example.com/kind</value></field>"
        b"<field var='accountjid' type='jid-single' label='Who?'><desc>An account</desc><required/></field>"
        b"<field var='max' type='list-single'><value>25</value><option><value>25</value></option>"
        b"<option label='All'><value>none</value></option></field></x>"
    )


def test_a_text_of_several_lines_has_a_value_for_each() -> None:
    written = Field("motd", "text-multi", value="one\ntwo").to_element()

    assert [value.text for value in written.all("value")] == ["one", "two"]


@pytest.mark.parametrize(("value", "text"), [(True, "1"), (False, "0")])
def test_a_boolean_is_a_digit(value: bool, text: str) -> None:
    written = Field("sure", "boolean", value=value).to_element()

    assert [one.text for one in written.all("value")] == [text]


def test_a_table_names_its_columns_and_lists_its_rows() -> None:
    table = Table((Field("jid", "jid-single", "Address"),), ({"jid": "ana@example.com"}, {}), title="Who")

    assert table.to_element() == parse(
        b"<x xmlns='jabber:x:data' type='result'><title>Who</title>"
        b"<reported><field var='jid' type='jid-single' label='Address'/></reported>"
        b"<item><field var='jid'><value>ana@example.com</value></field></item>"
        b"<item><field var='jid'/></item></x>"
    )


def test_answers_have_the_types_of_the_questions() -> None:
    form = Form(
        (
            Field("name"),
            Field("sure", "boolean"),
            Field("who", "jid-single"),
            Field("all", "jid-multi"),
            Field("motd", "text-multi"),
            Field("left"),
        )
    )

    answers = read(
        form,
        field("name", "Ana"),
        field("sure", "true"),
        field("who", "ANA@example.com"),
        field("all", "b@example.com", "a@example.com", "B@example.com"),
        field("motd", "one", "", "two"),
        field("left", ""),
    )

    assert answers.text("name") == "Ana"
    assert answers.flag("sure") is True
    assert answers.jid("who") == JID.parse("ana@example.com")
    assert answers.jids("all") == [JID.parse("b@example.com"), JID.parse("a@example.com")]
    assert answers.text("motd") == "one\n\ntwo"
    assert answers.text("left", "nothing") == "nothing"
    assert answers["left"] == ()


def test_what_is_not_there_is_nothing() -> None:
    answers = read(Form((Field("sure", "boolean"), Field("who", "jid-single"))))

    assert answers.flag("sure") is False
    assert answers.jid("who") is None
    assert list(answers) == ["sure", "who"]
    assert len(answers) == 2


def test_what_was_not_asked_is_ignored() -> None:
    assert "more" not in read(Form((Field("name"),)), field("name", "Ana"), field("more", "x"))


@pytest.mark.parametrize(
    ("asked", "sent", "problem"),
    [
        (Field("a", required=True), "", "has to be filled in"),
        (Field("a", required=True), field("a", ""), "has to be filled in"),
        (Field("a"), field("a", "1", "2"), "one value only"),
        (Field("a"), field("a", "1") + field("a", "2"), "there twice"),
        (Field("a", "boolean"), field("a", "perhaps"), "true or false"),
        (Field("a", "jid-single"), field("a", "@"), "takes addresses"),
        (Field("a", "jid-multi"), field("a", "a@b", "@"), "takes addresses"),
        (Field("a", "list-single", options=(Option("x"),)), field("a", "y"), "does not offer"),
        (Field("a", "list-multi", options=(Option("x"),)), field("a", "x", "y"), "does not offer"),
    ],
)
def test_what_a_field_cannot_hold_is_refused(asked: Field, sent: str, problem: str) -> None:
    with pytest.raises(StanzaError, match=problem) as refused:
        read(Form((asked,)), sent)

    assert refused.value.condition == "bad-request"


@pytest.mark.parametrize("kind", ["", "form", "cancel", "result"])
def test_only_a_submission_is_read(kind: str) -> None:
    with pytest.raises(StanzaError, match="submit"):
        read(Form(), kind=kind)


def test_the_submission_of_another_form_is_refused() -> None:
    with pytest.raises(StanzaError, match="kind-a is expected, not kind-b"):
        read(Form(type="kind-a"), field("FORM_TYPE", "kind-b"))


def test_a_form_can_be_found_and_looked_at() -> None:
    inside = submission(field("FORM_TYPE", "k") + field("a", "1", "2") + "<field/>")
    form = find_form(parse(f"<query xmlns='urn:example'>{inside}</query>".encode()))

    assert form is not None
    assert type_of(form) == "k"
    assert values_of(form) == {"FORM_TYPE": ("k",), "a": ("1", "2")}
    assert find_form(parse(b"<query xmlns='urn:example'/>")) is None
