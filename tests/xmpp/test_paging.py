import pytest

from imserver.xmpp.errors import StanzaError
from imserver.xmpp.paging import PageRequest, PageResult, read_page_request
from imserver.xmpp.parser import parse


def read(page: str) -> PageRequest:
    around = f"<query xmlns='urn:xmpp:mam:2'>{page}</query>"
    return read_page_request(parse(around.encode()))


def asked(inside: str) -> PageRequest:
    return read(f"<set xmlns='http://jabber.org/protocol/rsm'>{inside}</set>")


def test_who_does_not_ask_for_a_page_gets_the_first() -> None:
    assert read("") == PageRequest()


def test_a_page_behind_an_item_goes_forwards() -> None:
    request = asked("<max>10</max><after>17</after>")

    assert request == PageRequest(max=10, after="17")
    assert not request.is_backwards


@pytest.mark.parametrize(("written", "before"), [("<before/>", ""), ("<before>17</before>", "17")])
def test_a_page_before_an_item_or_the_end_goes_backwards(written: str, before: str) -> None:
    request = asked(written)

    assert request == PageRequest(before=before)
    assert request.is_backwards


@pytest.mark.parametrize(("max", "limit"), [(None, 50), (0, 0), (10, 10), (100_000, 250)])
def test_nobody_gets_more_than_the_most(max: int | None, limit: int) -> None:
    assert PageRequest(max=max).limit(default=50, most=250) == limit


@pytest.mark.parametrize("max", ["", "ten", "-1", "1.5", "٣", "9999999999"])
def test_a_size_that_is_no_number_is_refused(max: str) -> None:
    with pytest.raises(StanzaError, match="bad-request"):
        asked(f"<max>{max}</max>")


def test_pages_have_no_numbers() -> None:
    with pytest.raises(StanzaError, match="feature-not-implemented"):
        asked("<max>10</max><index>3</index>")


@pytest.mark.parametrize("request_", [PageRequest(), PageRequest(max=0, before=""), PageRequest(5, "a", "b")])
def test_a_request_can_be_written_and_read(request_: PageRequest) -> None:
    assert read(str(request_.to_element())) == request_


def test_a_result_names_what_is_known() -> None:
    page = "<set xmlns='http://jabber.org/protocol/rsm'>"

    assert str(PageResult().to_element()) == "<set xmlns='http://jabber.org/protocol/rsm'/>"
    assert str(PageResult("3", "5").to_element()) == f"{page}<first>3</first><last>5</last></set>"
    assert str(PageResult(count=0).to_element()) == f"{page}<count>0</count></set>"
