"""XEP-0313, 4 and 5: how the owner of an archive reads it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from imserver.hooks import is_awaitable
from imserver.iq import IQHandler, Target
from imserver.storage.archive import ItemNotFound, Page
from imserver.storage.archive_words import read_query
from imserver.xmpp import forms, namespaces
from imserver.xmpp.element import Element, escape_attribute
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.paging import PageRequest, PageResult, read_page_request
from imserver.xmpp.stanza import IQ, Message, child_key
from imserver.xmpp.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from datetime import datetime

    from imserver.features.shared_archive import SharedArchive
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.storage.archive import ArchivedMessage
    from imserver.storage.archive_words import Wanted

NAMESPACE: Final = "urn:xmpp:mam:2"
#: XEP-0313, 7. Of rooms nothing is in these archives, and `#groupchat-field` says that we understand the question.
FEATURES: Final = (NAMESPACE, f"{NAMESPACE}#extended", f"{NAMESPACE}#groupchat-field")
#: XEP-0431, and its field.
FULL_TEXT: Final = "urn:xmpp:fulltext:0"
WORDS: Final = f"{{{FULL_TEXT}}}fulltext"
#: What is noted at a session that has read its archive: it shows what is in there without being told.
READS_ARCHIVE: Final = "reads archive"

PAGE: Final = 50
LARGEST_PAGE: Final = 250
#: How many results go out before we wait for the reader to catch up.
RESULTS_AT_ONCE: Final = 50

# Ids are numbers, and this is the largest that databases know.
_LARGEST_ID: Final = 2**63 - 1

_RESULT: Final = child_key("result", NAMESPACE)

QUERY_FORM: Final = forms.Form(
    (
        forms.Field("with", "jid-single"),
        forms.Field("start"),
        forms.Field("end"),
        forms.Field("before-id"),
        forms.Field("after-id"),
        forms.Field("ids", "list-multi"),
        forms.Field("include-groupchat", "boolean"),
    ),
    type=NAMESPACE,
)
SEARCH_FORM: Final = forms.Form((*QUERY_FORM.fields, forms.Field(WORDS)), type=NAMESPACE)


def features(server: Server) -> tuple[str, ...]:
    """List what service discovery shows."""
    return (*FEATURES, FULL_TEXT) if server.settings.archive.search else FEATURES


def query_form(server: Server) -> forms.Form:
    """Say what can be asked for."""
    return SEARCH_FORM if server.settings.archive.search else QUERY_FORM


# Questions


def answer_form(server: Server, iq: IQ) -> Element:
    """XEP-0313, 4.1.5: say what can be asked for."""
    form = query_form(server).to_element()
    for field in form.all("field"):
        if field.get("var") == "ids":
            # The list of all ids is not given, and any may be asked for (XEP-0122).
            validate = Element(
                "validate", "http://jabber.org/protocol/xdata-validate", {"datatype": "xs:string"}
            )
            field.add(validate.add(Element("open", validate.namespace)))
    return Element("query", NAMESPACE).add(form)


async def answer_query(server: Server, iq: IQ) -> Element:
    """XEP-0313, 4: send a page of the archive, then say which one it was."""
    query = iq.query
    filters = read_filters(forms.find_form(query), query_form(server))
    request = read_page_request(query)
    session = _session(server, iq)
    session.features[READS_ARCHIVE] = True
    shared = await _find_shared(server, session.bare, filters)
    page, shown_rows = await _read_shown(server, session.bare, filters, request, shared)
    return await _answer_page(session, query, page, shown_rows)


async def answer_guest_query(
    server: Server, guest: Session, iq: IQ, find: Callable[[JID | None], Awaitable[SharedArchive]]
) -> Element:
    """Answer one who has no archive, but may read of others' what `find` shows them of what they said with somebody.

    It is not searched for words: they would be looked for in what is not shown, too.
    """
    filters, request = read_filters(forms.find_form(iq.query)), read_page_request(iq.query)
    shared = await find(filters.peer)
    first, *others = shared.owners
    wanted, shared = replace(filters, peer=None), replace(shared, owners=others)
    page, shown_rows = await _read_shown(server, first, wanted, request, shared)
    return await _answer_page(guest, iq.query, page, shown_rows)


async def _answer_page(
    session: Session, query: Element, page: Page, shown_rows: Sequence[ArchivedMessage]
) -> Element:
    rows = reversed(shown_rows) if query.child("flip-page") is not None else shown_rows
    await _send_results(session, rows, query.attributes.get("queryid"))
    # No count: to count is to read everything.
    shown = PageResult(str(page.rows[0].id), str(page.rows[-1].id)) if page.rows else PageResult()
    fin = Element("fin", NAMESPACE, {"complete": "true"} if page.complete else {})
    return fin.add(shown.to_element())


async def answer_metadata(server: Server, iq: IQ) -> Element:
    """XEP-0313, 5: name the first and the last message."""
    metadata = Element("metadata", NAMESPACE)
    bounds = await server.store.archive.bounds(_session(server, iq).bare)
    if bounds is None:
        return metadata
    first = {"id": str(bounds.first_id), "timestamp": format_timestamp(bounds.first_time)}
    last = {"id": str(bounds.last_id), "timestamp": format_timestamp(bounds.last_time)}
    return metadata.add(Element("start", NAMESPACE, first), Element("end", NAMESPACE, last))


def refuse(server: Server, iq: IQ) -> Element:
    """XEP-0313, 8.1: an archive is its owner's."""
    raise StanzaError("forbidden", "Only its owner may read an archive")


HANDLERS: Final = (
    IQHandler("get", NAMESPACE, "query", answer_form, Target.ACCOUNT),
    IQHandler("set", NAMESPACE, "query", answer_query, Target.ACCOUNT),
    IQHandler("get", NAMESPACE, "metadata", answer_metadata, Target.ACCOUNT),
    IQHandler("get", NAMESPACE, "query", refuse, Target.CONTACT),
    IQHandler("set", NAMESPACE, "query", refuse, Target.CONTACT),
    IQHandler("get", NAMESPACE, "metadata", refuse, Target.CONTACT),
    IQHandler("get", NAMESPACE, "prefs", refuse, Target.CONTACT),
    IQHandler("set", NAMESPACE, "prefs", refuse, Target.CONTACT),
)


# What is asked for


@dataclass(frozen=True, slots=True)
class Filters:
    """XEP-0313, 4.1: which messages are wanted."""

    peer: JID | None = None
    start: datetime | None = None
    end: datetime | None = None
    after_id: int | None = None
    before_id: int | None = None
    ids: tuple[int, ...] | None = None
    #: XEP-0431: what is looked for; nothing fits if there is no word in it.
    words: tuple[Wanted, ...] | None = None


def read_filters(form: Element | None, known: forms.Form = QUERY_FORM) -> Filters:
    """Read the form of a query.

    Raises:
        StanzaError: If a field is unknown, or holds what it can't; the text says which.
    """
    if form is None:
        return Filters()
    given = {name: values for name, values in forms.values_of(form).items() if any(values)}
    if given.pop(forms.FORM_TYPE, ()) != (NAMESPACE,):
        raise StanzaError("bad-request", f"FORM_TYPE has to be {NAMESPACE}")
    if unknown := given.keys() - {field.name for field in known.fields}:
        # XEP-0313, 4.1.5: what we don't know must not be left out silently.
        raise StanzaError("feature-not-implemented", f"There is no field {min(unknown)!r}")
    known.read(form)  # one value each
    ids, words = given.get("ids"), _only(given.get(WORDS))
    return Filters(
        peer=_read_jid(given.get("with")),
        start=_read_time("start", given.get("start")),
        end=_read_time("end", given.get("end")),
        after_id=_read_id(_only(given.get("after-id"))),
        before_id=_read_id(_only(given.get("before-id"))),
        ids=None if ids is None else tuple(_read_known_id(id) for id in ids if id),
        words=None if words is None else tuple(read_query(words)),
    )


def _only(values: tuple[str, ...] | None) -> str | None:
    return values[0] if values else None


def _read_jid(values: tuple[str, ...] | None) -> JID | None:
    try:
        return JID.parse(values[0].strip()) if values else None
    except JIDError as error:
        raise StanzaError("jid-malformed", f"The field 'with' takes an address: {error}") from error


def _read_time(name: str, values: tuple[str, ...] | None) -> datetime | None:
    try:
        return parse_timestamp(values[0]) if values else None
    except ValueError as error:
        raise StanzaError("bad-request", f"The field {name!r} takes a time (XEP-0082): {error}") from error


def _read_id(text: str | None) -> int | None:
    return None if text is None else _read_known_id(text)


def _read_known_id(text: str) -> int:
    """Read an id that we gave: what can't be one is not found, like one that is gone."""
    if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _LARGEST_ID:
        return int(text)
    raise StanzaError("item-not-found", f"There is no message {text[:40]!r} in the archive")


# What is found


async def _find_shared(server: Server, asker: JID, filters: Filters) -> SharedArchive | None:
    """Ask the plugins whether more is shown of a contact than what the asker's own archive has."""
    peer, hook = filters.peer, server.hooks.find_archive
    if not hook or peer is None or not peer.is_bare:
        return None
    found: Any = hook.ask(server=server, asker=asker, peer=peer)
    return await found if is_awaitable(found) else found  # type: ignore[no-any-return]


async def _read_shown(
    server: Server, owner: JID, filters: Filters, request: PageRequest, shared: SharedArchive | None
) -> tuple[Page, Sequence[ArchivedMessage]]:
    """Read a page, and how it is shown; what is not shown makes room for more."""
    page = await _read_page(server, owner, filters, request, shared)
    if shared is None:
        return page, page.rows
    shown, wanted = list(await shared.show(page.rows)), len(page.rows)
    while len(shown) < wanted and not page.complete:
        border = page.rows[0] if request.is_backwards else page.rows[-1]
        name = "before" if request.is_backwards else "after"
        rest = replace(request, max=wanted - len(shown), **{name: str(border.id)})
        more = await _read_page(server, owner, filters, rest, shared)
        others = await shared.show(more.rows)
        if request.is_backwards:
            page, shown = Page([*more.rows, *page.rows], more.complete), [*others, *shown]
        else:
            page, shown = Page([*page.rows, *more.rows], more.complete), [*shown, *others]
    return page, shown


async def _read_page(
    server: Server, owner: JID, filters: Filters, request: PageRequest, shared: SharedArchive | None
) -> Page:
    peer = filters.peer
    if filters.words == ():
        return Page([], complete=True)
    try:
        return await server.store.archive.page(
            owner,
            peer=None if peer is None else peer.bare,
            resource=None if peer is None or peer.is_bare else peer.resource,
            start=filters.start,
            end=filters.end,
            after=_read_id(request.after),
            before=_read_id(request.before or None),
            after_id=filters.after_id,
            before_id=filters.before_id,
            ids=filters.ids,
            words=filters.words or (),
            together_with=() if shared is None else shared.owners,
            # What a client got of them may be the last that it knows of.
            also_known_at=server.router.components,
            limit=request.limit(PAGE, LARGEST_PAGE),
            backwards=request.is_backwards,
        )
    except ItemNotFound as error:
        raise StanzaError("item-not-found", f"There is no message '{error}' in the archive") from error


async def _send_results(session: Session, rows: Iterable[ArchivedMessage], query_id: str | None) -> None:
    for sent, row in enumerate(rows, start=1):
        session.send(_result(session, row, query_id))
        if sent % RESULTS_AT_ONCE == 0:
            await session.drained()


def _result(session: Session, row: ArchivedMessage, query_id: str | None) -> Message:
    """Wrap a message of the archive (XEP-0297): its bytes are as they were, only their namespace is said."""
    query = "" if query_id is None else f" queryid='{escape_attribute(query_id)}'"
    start = (
        f"<result xmlns='{NAMESPACE}' id='{row.id}'{query}><forwarded xmlns='{namespaces.FORWARD}'>"
        f"<delay xmlns='{namespaces.DELAY}' stamp='{format_timestamp(row.time)}'/>"
        f"<message xmlns='{namespaces.CLIENT}'"
    )
    result = Message(sender=session.bare, to=session.jid)
    written = start.encode() + row.stanza.removeprefix(b"<message") + b"</forwarded></result>"
    result.append(_RESULT, written)
    return result


def _session(server: Server, iq: IQ) -> Session:
    """Find who asks: results are sent to that session, and to no other."""
    session = server.sessions.find(iq.sender) if iq.sender is not None else None
    if session is None:
        raise StanzaError("forbidden", "Only its owner may read an archive")
    return session
