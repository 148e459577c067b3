"""XEP-0092, as clients see it."""

from imserver import __version__
from tests.scenes.actors import Actor


async def test_the_server_says_its_name_and_version_and_not_what_it_runs_on(ana: Actor) -> None:
    await ana.sends("<iq type='get' id='1' to='localhost'><query xmlns='jabber:iq:version'/></iq>")

    await ana.receives(
        "<iq type='result' id='1' from='localhost' to='ana@localhost/stage'><query xmlns='jabber:iq:version'>"
        f"<name>imserver</name><version>{__version__}</version></query></iq>"
    )
