"""One question, one answer: who may ask whom what."""

import pytest

from imserver.iq import ANYWHERE, IQHandler, IQTable, Target, as_result, iq_handler
from imserver.server import Server
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import IQ

ANA, SERVER = JID.parse("ana@example.com/desk"), JID.parse("example.com")


def handler(
    name: str = "query",
    type: str = "get",
    *,
    target: Target = Target.SERVER,
    features: tuple[str, ...] = (),
) -> IQHandler:
    def answer(server: Server, iq: IQ) -> Element:
        return Element(name, "urn:x")

    return iq_handler(type, "urn:x", name, target=target, features=features)(answer)  # type: ignore[arg-type]


def question(name: str = "query", type: str = "get", namespace: str = "urn:x") -> IQ:
    return IQ(sender=ANA, to=SERVER, type=type, id="1", payload=[Element(name, namespace)])


def condition(table: IQTable, iq: IQ, target: Target = Target.SERVER) -> str:
    with pytest.raises(StanzaError) as refused:
        table.find(iq, target)
    return refused.value.condition


def test_a_function_becomes_a_handler() -> None:
    one = handler(features=("urn:y",))

    assert (one.type, one.namespace, one.name, one.target) == ("get", "urn:x", "query", Target.SERVER)
    assert one.features == ("urn:y",)


def test_a_question_finds_who_answers() -> None:
    table, reads, writes = IQTable(), handler(), handler(type="set")
    table.add("one", reads)
    table.add("one", writes)

    assert table.find(question(), Target.SERVER) is reads
    assert table.find(question(type="set"), Target.SERVER) is writes


@pytest.mark.parametrize(
    "iq",
    [question("other"), question(namespace="urn:y"), question(namespace=""), question("query\n", "get", "")],
)
def test_a_question_that_nobody_answers_is_refused(iq: IQ) -> None:
    table = IQTable()
    table.add("one", handler())

    assert condition(table, iq) == "service-unavailable"


def test_whoever_asks_by_the_wrong_type_is_told_the_right_one() -> None:
    table = IQTable()
    table.add("one", handler(type="set"))

    assert condition(table, question()) == "bad-request"


@pytest.mark.parametrize("target", list(Target))
def test_a_handler_answers_only_where_it_says(target: Target) -> None:
    table, one = IQTable(), handler(target=Target.SERVER | Target.CONTACT)
    table.add("one", one)

    if target is Target.ACCOUNT:
        assert condition(table, question(), target) == "service-unavailable"
    else:
        assert table.find(question(), target) is one


def test_two_plugins_cannot_answer_the_same() -> None:
    table = IQTable()
    table.add("one", handler(target=ANYWHERE))

    with pytest.raises(ValueError, match=r"'one' and 'two' both answer iq-get <query/> in urn:x"):
        table.add("two", handler(target=Target.CONTACT))


def test_discovery_shows_what_is_answered_and_nothing_else() -> None:
    table = IQTable()
    table.add("one", handler(features=("urn:y",)))
    table.add("one", handler("other", target=Target.ACCOUNT))
    table.advertise(Target.SERVER | Target.ACCOUNT, "urn:a")

    assert table.features(Target.SERVER) == ["urn:a", "urn:x", "urn:y"]
    assert table.features(Target.ACCOUNT) == ["urn:a", "urn:x"]
    assert table.features(Target.CONTACT) == []


def test_an_answer_becomes_a_result() -> None:
    asked = question()
    whole = asked.result(Element("a", "u"))

    assert as_result(asked, whole) is whole
    assert as_result(asked, Element("a", "u")) == whole
    assert (
        as_result(asked, None).wire
        == b"<iq from='example.com' to='ana@example.com/desk' id='1' type='result'/>"
    )
