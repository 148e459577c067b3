"""Everything that is kept, one attribute for each kind."""

from imserver.storage.accounts import Accounts
from imserver.storage.archive import Archive
from imserver.storage.blocklists import Blocklists
from imserver.storage.database import Database
from imserver.storage.desk import DeskStore
from imserver.storage.lasts import Lasts
from imserver.storage.offline import Offline
from imserver.storage.preferences import Preferences
from imserver.storage.private import Private
from imserver.storage.rosters import Rosters
from imserver.storage.uploads import Uploads
from imserver.storage.vcards import VCards


class Store:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.accounts = Accounts(database)
        self.archive = Archive(database)
        self.blocklists = Blocklists(database)
        self.desk = DeskStore(database)
        self.lasts = Lasts(database)
        self.offline = Offline(database)
        self.preferences = Preferences(database)
        self.private = Private(database)
        self.rosters = Rosters(database)
        self.uploads = Uploads(database)
        self.vcards = VCards(database)
