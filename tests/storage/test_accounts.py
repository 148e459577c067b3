import pytest
from sqlalchemy import Table, select

from imserver.storage.accounts import AccountExists, AccountUnknown, StoredCredentials
from imserver.storage.archive import Archive, ArchiveRow
from imserver.storage.conversations import AgentRow
from imserver.storage.lasts import Last
from imserver.storage.offline import OfflineRow
from imserver.storage.preferences import ArchivePreferences
from imserver.storage.rosters import RosterItem
from imserver.storage.schema import EPOCH, metadata
from imserver.storage.store import Store
from imserver.storage.uploads import Upload

ANA, LUIS = "ana@example.com", "luis@example.com"
SHA1 = StoredCredentials("SCRAM-SHA-1", b"salt", 4096, b"stored", b"server")
SHA256 = StoredCredentials("SCRAM-SHA-256", b"salt", 4096, b"stored", b"server")


async def test_an_account_has_the_keys_it_was_opened_with(store: Store) -> None:
    await store.accounts.add(ANA, [SHA256, SHA1])

    assert await store.accounts.credentials(ANA) == [SHA1, SHA256]
    assert await store.accounts.exists(ANA)


async def test_nobody_else_has_an_account(store: Store) -> None:
    await store.accounts.add(ANA, [SHA1])

    assert not await store.accounts.exists(LUIS)
    assert await store.accounts.credentials(LUIS) == []


async def test_a_name_is_given_once(store: Store) -> None:
    await store.accounts.add(ANA, [SHA1])

    with pytest.raises(AccountExists, match=ANA):
        await store.accounts.add(ANA, [SHA256])

    assert await store.accounts.credentials(ANA) == [SHA1]


async def test_a_new_password_replaces_every_key(store: Store) -> None:
    await store.accounts.add(ANA, [SHA1])

    await store.accounts.set_credentials(ANA, [SHA256])

    assert await store.accounts.credentials(ANA) == [SHA256]


async def test_who_has_no_account_cannot_change_its_password(store: Store) -> None:
    with pytest.raises(AccountUnknown, match=ANA):
        await store.accounts.set_credentials(ANA, [SHA1])


async def test_a_disabled_account_has_no_keys_until_it_is_enabled(store: Store) -> None:
    await store.accounts.add(ANA, [SHA1])

    await store.accounts.disable(ANA)
    assert await store.accounts.credentials(ANA) == []
    account = await store.accounts.find(ANA)
    assert account is not None
    assert not account.enabled

    await store.accounts.enable(ANA)
    assert await store.accounts.credentials(ANA) == [SHA1]


async def test_who_has_no_account_cannot_be_disabled(store: Store) -> None:
    with pytest.raises(AccountUnknown, match=ANA):
        await store.accounts.disable(ANA)


async def test_an_import_says_who_was_here_before(store: Store) -> None:
    await store.accounts.add(ANA, [SHA1])

    assert await store.accounts.add_many([(LUIS, [SHA256]), (ANA, [SHA256])]) == [ANA]

    assert await store.accounts.credentials(ANA) == [SHA1]
    assert await store.accounts.credentials(LUIS) == [SHA256]


async def test_ten_thousand_accounts_are_imported_at_once(store: Store) -> None:
    await store.accounts.add_many([(f"{number:05}@example.com", [SHA256]) for number in range(10_000)])

    assert await store.accounts.count() == 10_000


async def test_accounts_are_listed_page_by_page(store: Store) -> None:
    await store.accounts.add_many([(f"{letter}@example.com", []) for letter in "dbaec"])

    first = await store.accounts.list(limit=2)
    second = await store.accounts.list(after=first[-1].owner, limit=2)

    assert [account.owner[0] for account in first + second] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "not yet indexed"])
async def test_a_removed_account_leaves_nothing_behind(store: Store, indexed: bool) -> None:
    for number, owner in enumerate((ANA, LUIS)):
        await fill(store, owner, number)
    if indexed:
        await store.archive.bounds(ANA)
    before = {table.name: await owners(store, table) for table in owned()}
    assert all(ANA in names for names in before.values()), "a table that this test forgets to fill"

    assert await store.accounts.remove(ANA)

    after = {table.name: await owners(store, table) for table in owned()}
    assert after == {name: names - {ANA} for name, names in before.items()}


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "not yet indexed"])
@pytest.mark.parametrize("gone", [ANA, LUIS])
async def test_what_the_other_side_has_in_its_archive_stays_there(
    store: Store, indexed: bool, gone: str
) -> None:
    left = LUIS if gone == ANA else ANA
    await store.archive.write([ArchiveRow(1, ANA, LUIS, "phone", b"<message/>", "tablet")])
    if indexed:
        await store.archive.bounds(ANA)
        await store.archive.bounds(LUIS)

    await store.accounts.remove(gone)

    # Whoever gets the name next starts with nothing, whether this server removed the account or another process.
    for archive in (store.archive, Archive(store.database)):
        assert (await archive.page(gone, limit=9)).rows == []
        assert (await archive.page(left, limit=9)).rows == [(1, b"<message/>")]
        resource = "phone" if left == ANA else "tablet"
        assert (await archive.page(left, peer=gone, resource=resource, limit=9)).rows == [(1, b"<message/>")]
    await store.accounts.remove(left)
    assert await store.archive.expire(99) == 0


async def test_a_name_given_again_starts_with_nothing_but_what_is_new(store: Store) -> None:
    await store.archive.write([ArchiveRow(1, ANA, LUIS, "phone", b"old", "tablet")])
    await store.accounts.remove(ANA)
    await store.archive.write([ArchiveRow(2, LUIS, ANA, "phone", b"new", "tablet")])

    assert (await store.archive.page(ANA, limit=9)).rows == [(2, b"new")]
    assert (await store.archive.page(LUIS, limit=9)).rows == [(1, b"old"), (2, b"new")]


async def test_who_has_no_account_cannot_be_removed(store: Store) -> None:
    assert not await store.accounts.remove(ANA)


async def fill(store: Store, owner: str, number: int) -> None:
    await store.accounts.add(owner, [SHA1])
    await store.rosters.put(owner, RosterItem("tea@example.com"))
    archived = ArchiveRow(number + 1, owner, "tea@example.com", "tablet", b"<message/>")
    await store.archive.write([archived], [OfflineRow(owner, number + 1, b"<message/>")])
    await store.archive.bounds(owner)
    late = archived._replace(id=number + 101)
    await store.archive.write([late])
    await store.private.put(owner, "storage:bookmarks", "storage", b"<storage/>")
    await store.vcards.put(owner, b"<vCard/>")
    await store.blocklists.add(owner, ["spam@example.com"])
    await store.preferences.put(owner, ArchivePreferences())
    await store.uploads.reserve(Upload(f"token{number}", owner, "a.png", 1, "image/png", EPOCH))
    await store.lasts.put(owner, Last(EPOCH))
    await store.desk.save([], agents=[AgentRow(owner)])


def owned() -> list[Table]:
    return [table for table in metadata.sorted_tables if "owner" in table.c]


async def owners(store: Store, table: Table) -> set[str]:
    async with store.database.reading() as connection:
        return set(await connection.scalars(select(table.c.owner).distinct()))
