"""Look for bytes that make the codec break a promise: `python contrib/fuzz/codec.py --seconds 60`.

What it promises, whatever the bytes:

1. They come in as items; nothing is raised, and a stream error is the last item.
2. However they are cut into chunks, the items are the same.
3. A stanza goes out as one well-formed element, on a TCP stream and as a WebSocket frame, and whoever reads it there
   sees the children that we saw, and that our features decided by.

With atheris installed it is guided by coverage; else it changes the corpus at random. A finding is printed as
Python, to be pasted into tests/xmpp/corpus/seeds.py.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from imserver.xmpp.codec import FrameReader, Item, StreamReader
from imserver.xmpp.errors import StreamError
from imserver.xmpp.parser import ReaderLimits
from imserver.xmpp.stanza import Stanza, child_key
from tests.xmpp.corpus.seeds import HEADER, SEEDS

#: Longer ones are about limits, and would only make it slow.
LONGEST_SEED: Final = 4_096
LIMITS: Final = ReaderLimits(stanza_bytes=2_048, elements=24, depth=8, attributes=8)
#: What a stream is made of; put in where a random byte would never make sense.
WORDS: Final = (
    b"<message>", b"</message>", b"<body>", b"</body>", b"<a", b"/>", b">", b" xmlns='u'", b" xmlns:p='u'",
    b" xmlns:p='v'", b"<p:a", b" p:b=''", b"<stream:a", b"</stream:stream>", HEADER[21:], b"<![CDATA[", b"]]>", b"<!--",
    b"-->", b"<?x", b"?>", b"<!DOCTYPE a>", b"&lt;", b"&#10;", b"&l;", b"'", b'"', b"\r", b"\n", b"\0", b"\xef\xbb\xbf",
    b"\xff\xfe", b" xml:lang='es'", b" xml:space=''", b"<xml:a/>", b" xmlns=''", b"\xc3\xb1", b"\xf0\x9f\x8e\x89", b"}",
)  # fmt: skip


def read(chunks: Sequence[bytes], limits: ReaderLimits = LIMITS) -> list[Item]:
    """Feed chunk after chunk."""
    reader = StreamReader(limits)
    return [item for chunk in chunks for item in reader.feed(chunk)]


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut it at these places."""
    ends = [*sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def check(data: bytes, places: Sequence[int], limits: ReaderLimits = LIMITS) -> None:
    """Make sure of all promises.

    Raises:
        AssertionError: If one is broken.
    """
    items = read([data], limits)
    told = [tell(item) for item in items]
    assert told == [tell(item) for item in read(cut(data, places), limits)], (
        "cut otherwise, it is something else"
    )
    assert told == [tell(item) for item in read(cut(data, range(len(data))), limits)], "so it is byte by byte"
    assert not any(isinstance(item, StreamError) for item in items[:-1]), "something comes after an error"
    for item in items:
        if isinstance(item, Stanza):
            check_stanza(item)
    FrameReader(limits).feed(data)


def tell(item: Item) -> object:
    """Put into comparable words what an item is."""
    match item:
        case StreamError():
            return item.condition
        case Stanza():
            return item.wire, item.child_keys, item.element
    return item


def check_stanza(stanza: Stanza) -> None:
    """Make sure that others see in it what we see."""
    names = stanza.child_keys
    assert [child_key(child.name, child.namespace) for child in stanza.children()] == names
    if b"}" in stanza.wire:
        return  # ElementTree refuses namespaces that hold its own separator
    for place in (HEADER + stanza.wire + b"</stream:stream>", b"<one>%b</one>" % stanza.framed):
        # A reader that has nothing in common with ours but expat itself.
        seen = list(ElementTree.fromstring(place))
        assert len(seen) == 1, "it became several"
        assert seen[0].tag == f"{{jabber:client}}{stanza.name}"
        assert [_key(child.tag) for child in seen[0]] == names


def _key(tag: str) -> str:
    namespace, _, name = tag.rpartition("}")
    return child_key(name, namespace.removeprefix("{"))


def mutate(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Change it a little."""
    start, end = sorted(chance.choices(range(len(data) + 1), k=2))
    end = min(end, start + chance.choice((0, 1, 4, 32)))
    match chance.randrange(5):
        case 0:
            new = chance.randbytes(chance.randrange(1, 4))
        case 1:
            new = data[start:end] * 2
        case 2:
            other = chance.choice(others)
            begin = chance.randrange(len(other) + 1)
            new = other[begin : begin + chance.randrange(64)]
        case _:
            new = chance.choice(WORDS)
    return data[:start] + new + data[end:]


def run(seconds: float, seed: int) -> int:
    """Try random changes of the corpus, and return how many."""
    chance = random.Random(seed)
    corpus = [one.data for one in SEEDS.values() if len(one.data) <= LONGEST_SEED]
    until = time.monotonic() + seconds
    tries = 0
    while time.monotonic() < until:
        data = chance.choice(corpus)
        for _ in range(chance.randrange(1, 6)):
            data = mutate(data, corpus, chance)
        places = chance.choices(range(len(data) + 1), k=3)
        try:
            check(data, places)
        except BaseException:
            print(f"after {tries} tries, with --seed {seed}:\ncheck({data!r}, {places!r})")
            raise
        tries += 1
    return tries


def run_guided(arguments: Sequence[str]) -> None:
    """Let atheris choose the bytes."""
    atheris = importlib.import_module("atheris")

    def check_one(data: bytes) -> None:
        check(data, [place * 7 for place in data[:3]])

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *arguments], check_one)
    atheris.Fuzz()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None, help="to try the same changes again")
    parser.add_argument("--plain", action="store_true", help="leave atheris out, though it is installed")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is not None and not options.plain:
        run_guided([f"-max_total_time={int(options.seconds)}", "-max_len=4096"])
        return
    tries = run(options.seconds, options.seed if options.seed is not None else random.randrange(2**32))
    print(f"{tries} tries, nothing found")


if __name__ == "__main__":
    main()
