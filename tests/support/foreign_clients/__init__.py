"""SCIM clients that other projects published, behind one interface.

The drivers import their clients, because an import takes up to a second, which otherwise every process would spend.
Each driver calls its client in the way that the client's documentation shows.
"""

from tests.support.foreign_clients.drivers import Driver, GroupDriver, Refused, Seen
from tests.support.foreign_clients.huawei import HuaweiKit
from tests.support.foreign_clients.scim2_client import Scim2Client
from tests.support.foreign_clients.scim_client import ScimClient

__all__ = ["Driver", "GroupDriver", "HuaweiKit", "Refused", "Scim2Client", "ScimClient", "Seen"]
