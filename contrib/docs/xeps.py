"""Make docs/xeps.md and docs/doap.xml from docs/xeps.toml: `python contrib/docs/xeps.py`."""

import tomllib
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "docs" / "xeps.toml"

RFCS = (4505, 6120, 6121, 7395, 7590, 7622, 7628)

DOAP = """\
<?xml version="1.0" encoding="UTF-8"?>
<!-- Made by `make docs` from docs/xeps.toml. -->
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://usefulinc.com/ns/doap#"
         xmlns:xmpp="https://linkmauve.fr/ns/xmpp-doap#">
  <Project>
    <name>imserver</name>
    <shortdesc xml:lang="en">An instant-messaging server for contact centres</shortdesc>
    <programming-language>Python</programming-language>
    <category rdf:resource="https://linkmauve.fr/ns/xmpp-doap#category-server"/>
{rfcs}
{xeps}
  </Project>
</rdf:RDF>
"""
RFC = '    <implements rdf:resource="https://www.rfc-editor.org/info/rfc{}"/>'
XEP = """\
    <implements>
      <xmpp:SupportedXep>
        <xmpp:xep rdf:resource="https://xmpp.org/extensions/xep-{number}.html"/>
        <xmpp:version>{version}</xmpp:version>
        <xmpp:status>{status}</xmpp:status>{note}
      </xmpp:SupportedXep>
    </implements>"""


def read_table() -> list[dict[str, str]]:
    table: list[dict[str, Any]] = tomllib.loads(SOURCE.read_text())["xep"]
    return [{"status": "complete", "note": ""} | xep for xep in table]


def as_markdown(table: list[dict[str, str]]) -> str:
    head = [
        "# The XEPs, where they are and what shows them",
        "",
        "Made by `make docs` from `docs/xeps.toml`.",
        "",
        "| XEP | title | version | status | implemented by | shown by |",
        "|---|---|---|---|---|---|",
    ]
    rows = [
        f"| [{xep['number']}](https://xmpp.org/extensions/xep-{xep['number']}.html) | {xep['title']} | {xep['version']}"
        f" | {xep['status']}{': ' + xep['note'] if xep['note'] else ''} | [{Path(xep['file']).name}](../{xep['file']})"
        f" | [{Path(xep['scene']).name}](../{xep['scene']}) |"
        for xep in table
    ]
    return "\n".join([*head, *rows, ""])


def as_doap(table: list[dict[str, str]]) -> str:
    xeps = []
    for xep in table:
        note = f"\n        <xmpp:note>{escape(xep['note'])}</xmpp:note>" if xep["note"] else ""
        xeps.append(XEP.format(**(xep | {"note": note})))
    return DOAP.format(rfcs="\n".join(RFC.format(number) for number in RFCS), xeps="\n".join(xeps))


def main() -> None:
    table = read_table()
    (ROOT / "docs" / "xeps.md").write_text(as_markdown(table))
    (ROOT / "docs" / "doap.xml").write_text(as_doap(table))


if __name__ == "__main__":
    main()
