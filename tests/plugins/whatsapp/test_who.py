"""Who somebody is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver_whatsapp.phone_forms import phone_forms, shown
from imserver_whatsapp.updates import Person
from imserver_whatsapp.who import Aliases, Known, settle

PHONE, OTHER_PHONE = "351910000000", "351920000000"


class Book:
    """A directory in memory, and what it was told."""

    def __init__(self) -> None:
        self.aliases: dict[str, str] = {}
        self.merged: dict[str, str] = {}
        self.told: list[str] = []
        self.count = 0

    async def owner(self, alias: str) -> Known | None:
        key = self.aliases.get(alias)
        return Known(key, self.of(key)) if key is not None else None

    def of(self, key: str) -> Sequence[str]:
        return [alias for alias, owner in self.aliases.items() if owner == key]

    async def create(self, alias: str) -> str:
        self.count += 1
        self.told.append("create")
        assert alias not in self.aliases
        self.aliases[alias] = f"c{self.count}"
        return f"c{self.count}"

    async def attach(self, key: str, alias: str) -> None:
        self.told.append("attach")
        assert self.aliases.get(alias, key) == key, "it is somebody else's"
        self.aliases[alias] = key

    async def release(self, key: str, alias: str) -> None:
        self.told.append("release")
        assert self.aliases.pop(alias) == key

    async def merge(self, key: str, into: str) -> None:
        self.told.append("merge")
        assert key != into
        self.merged[key] = into
        self.aliases = {alias: into if owner == key else owner for alias, owner in self.aliases.items()}

    async def doubt(self, key: str, alias: str) -> None:
        self.told.append("doubt")


async def test_somebody_new_is_known_by_all_their_aliases_the_number_first() -> None:
    book = Book()

    key = await settle(book, Person(PHONE, "PT.1", "PT.ENT.1"))

    assert book.of(key) == ["whatsapp:+351910000000", "whatsapp:PT.1", "whatsapp:PT.ENT.1"]
    assert book.told == ["create", "attach", "attach"]


@pytest.mark.parametrize(
    "again",
    [
        Person(PHONE),
        Person("", "PT.1"),
        Person("", "", "PT.ENT.1"),
        Person(PHONE, "PT.1"),
        Person(PHONE, "PT.1", "PT.ENT.1"),
    ],
)
async def test_they_are_known_by_any_of_them_and_nothing_is_learned(again: Person) -> None:
    book = Book()
    key = await settle(book, Person(PHONE, "PT.1", "PT.ENT.1"))
    book.told.clear()

    assert await settle(book, again) == key
    assert book.told == []


@pytest.mark.parametrize("order", [(Person(PHONE), Person("", "PT.1")), (Person("", "PT.1"), Person(PHONE))])
async def test_two_become_one_when_a_message_names_both(order: tuple[Person, Person]) -> None:
    book = Book()
    keys = [await settle(book, person) for person in order]
    assert keys == ["c1", "c2"]

    key = await settle(book, Person(PHONE, "PT.1"))

    assert book.told[-1] == "merge"
    assert set(book.aliases.values()) == {key}
    assert await settle(book, Person(PHONE)) == await settle(book, Person("", "PT.1")) == key


async def test_a_number_that_somebody_else_has_now_does_not_show_what_the_former_wrote() -> None:
    book = Book()
    former = await settle(book, Person(PHONE, "PT.1"))

    latter = await settle(book, Person(PHONE, "PT.2"))

    assert latter != former
    assert "doubt" in book.told
    assert "merge" not in book.told
    assert await settle(book, Person(PHONE)) == latter
    assert await settle(book, Person("", "PT.1")) == former


async def test_the_same_person_under_the_ids_of_two_businesses_stays_one() -> None:
    book = Book()

    first = await settle(book, Person(PHONE, "PT.1", "PT.ENT.1"))
    second = await settle(book, Person(PHONE, "PT.2", "PT.ENT.1"))

    assert first == second
    assert "doubt" not in book.told


async def test_a_changed_number_keeps_the_client_and_frees_the_old_one() -> None:
    book = Book()
    key = await settle(book, Person(PHONE, "PT.1"))

    assert await settle(book, Person(PHONE), Person(OTHER_PHONE)) == key
    assert await settle(book, Person(OTHER_PHONE, "PT.9")) != await settle(book, Person(PHONE, "PT.8"))
    assert await settle(book, Person("", "PT.1")) == key


async def test_a_changed_user_id_keeps_the_client() -> None:
    book = Book()
    key = await settle(book, Person(PHONE, "PT.1"))

    assert await settle(book, Person(PHONE, "PT.1"), Person(OTHER_PHONE, "PT.2")) == key
    assert await settle(book, Person(OTHER_PHONE, "PT.2")) == key


async def test_who_wrote_from_the_new_number_before_the_change_was_told_becomes_one() -> None:
    book = Book()
    old = await settle(book, Person(PHONE, "PT.1"))
    new = await settle(book, Person(OTHER_PHONE, "PT.2"))
    assert old != new

    key = await settle(book, Person(PHONE, "PT.1"), Person(OTHER_PHONE, "PT.2"))

    assert key == old
    assert await settle(book, Person("", "PT.2")) == key


async def test_a_new_phone_of_the_same_number_changes_nothing() -> None:
    book = Book()
    key = await settle(book, Person(PHONE, "PT.1"))
    book.told.clear()

    assert await settle(book, Person(PHONE, "PT.1"), Person()) == key
    assert book.told == []


async def test_a_change_of_somebody_unknown_makes_a_client() -> None:
    book = Book()

    key = await settle(book, Person(PHONE), Person(OTHER_PHONE))

    assert book.of(key) == ["whatsapp:+351920000000"]


PEOPLE = st.builds(
    Person,
    st.sampled_from(["", "351910000000", "351920000000", "5511987654321", "551187654321"]),
    st.sampled_from(["", "PT.1", "PT.2"]),
    st.sampled_from(["", "PT.ENT.1"]),
).filter(lambda person: person.is_known)


@given(st.lists(st.tuples(PEOPLE, st.none() | PEOPLE), max_size=8))
async def test_whatever_comes_every_alias_is_one_clients_and_asking_again_changes_nothing(
    comings: list[tuple[Person, Person | None]],
) -> None:
    book = Book()
    for person, after in comings:
        await settle(book, person, after)
        key = await settle(book, after or person)
        before = dict(book.aliases)
        book.told.clear()

        assert await settle(book, after or person) == key
        assert book.aliases == before
        assert {"create", "merge"}.isdisjoint(book.told)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+5511987654321", "+551187654321"),
        ("+5215512345678", "+525512345678"),
        ("+5491123456789", "+541123456789"),
    ],
)
async def test_both_forms_of_a_number_are_the_same_client(one: str, other: str) -> None:
    assert phone_forms(one) == (one, other)
    assert phone_forms(other) == (other, one)
    book = Book()

    assert await settle(book, Person(one[1:])) == await settle(book, Person(other[1:]))


@pytest.mark.parametrize(
    "number",
    [
        "+351910000000",
        "+552133334444",  # of a house in Rio
        "+15551234567",
        "+5511187654321",
        "+52155123456",
        "+5411234567",
    ],
)
def test_other_numbers_have_one_form(number: str) -> None:
    assert phone_forms(number) == (number,)


@pytest.mark.parametrize("number", ["", "+", "PT.1", "12", "1" * 30, "٣٤٦٠٠٠٠٠٠٠٠", "<PHONE>"])
def test_what_is_no_number_has_none(number: str) -> None:
    assert phone_forms(number) == ()


@given(st.from_regex(r"\A(55|52|54)[1-9][0-9]{8,11}\Z"))
def test_twins_are_twins_of_each_other(digits: str) -> None:
    forms = phone_forms(digits)

    assert forms[0] == f"+{digits}"
    for form in forms:
        assert set(phone_forms(form)) == set(forms)


def test_a_number_as_people_read_it() -> None:
    assert shown("351910000000") == "+351 910 000 000"
    assert shown("PT.1") == "PT.1"


def test_an_id_that_is_no_number_is_an_alias_all_the_same() -> None:
    assert Aliases.of(Person("<PHONE>")) == Aliases("whatsapp:<PHONE>")
