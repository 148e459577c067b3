"""The servers that are measured.

| | imserver | imserver-postgresql | prosody | ejabberd |
|---|---|---|---|---|
| archive on | SQLite, `synchronous=FULL` | PostgreSQL, asyncpg | files (its default store) | PostgreSQL, pool of 10 |
| on disk before it is delivered | yes | yes | no | yes, by PostgreSQL |
| archive off | SQLite | PostgreSQL | files | Mnesia |
| modules | all built in, the example plugin | the same | the same features | the same but file upload, WebSocket |
| limits of rate | off | off | none enabled | no shaper |
| passwords | SCRAM-SHA-256, 4,096 | the same | SCRAM-SHA-256, 10,000 | SCRAM-SHA-256, 4,096 |
| listens on | 127.0.0.1: TCP with STARTTLS, and TLS at once | the same | the same | the same |

Everything else is as each server sets it by default, but for ejabberd's queue of connections to accept, which has room
for 5: clients would wait a second to try again. PostgreSQL is Debian's with its defaults (`fsync=on`,
`synchronous_commit=on`), a fresh one each run, and counts as a part of the server that uses it.
"""

from contrib.bench.peers.ejabberd import Ejabberd
from contrib.bench.peers.imserver import (
    Imserver,
    ImserverBare,
    ImserverDesk,
    ImserverDeskPlugins,
    ImserverPostgreSQL,
)
from contrib.bench.peers.peer import Peer
from contrib.bench.peers.prosody import Prosody

PEERS: dict[str, type[Peer]] = {
    peer.name: peer
    for peer in (
        Imserver,
        ImserverPostgreSQL,
        ImserverBare,
        ImserverDesk,
        ImserverDeskPlugins,
        Prosody,
        Ejabberd,
    )
}
