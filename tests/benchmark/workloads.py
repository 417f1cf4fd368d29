"""The workloads: the requests that each sends to the service and to the floor.

A workload draws users at random from all enterprises, by a seed, so that service and floor get the same requests.
"""

import json
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from tests.benchmark.client import Flow, Request
from tests.support.client import CONTENT_TYPE, SCIM
from tests.support.population import ROLES, Population, change_body, email, role, user_body, user_id

PAGE = 100


@dataclass(frozen=True)
class Created:
    """A user that one workload created and another deletes."""

    enterprise: int
    id: str


class Dialect(ABC):
    """The requests for one of the two servers; ``tokens`` are the enterprises', in their order."""

    def __init__(self, population: Population, tokens: Sequence[str]) -> None:
        self.population = population
        self.tokens = tokens
        #: The start of the last page of enterprise 0. The service returns it while all pages are read.
        self.last_cursor = ""

    @abstractmethod
    def get(self, user: int) -> Request:
        """Read a user by id."""

    @abstractmethod
    def match(self, enterprise: int, address: str, expected: str) -> Request:
        """Find a user by the work address. ``expected`` is the ID in the result, or empty."""

    @abstractmethod
    def create(self, enterprise: int, name: str, role_name: str) -> Request:
        """Create a user as Entra does."""

    @abstractmethod
    def patch(self, user: int, revision: str) -> Request:
        """Change a user by three operations."""

    @abstractmethod
    def delete(self, user: Created) -> Request:
        """Delete a user."""

    @abstractmethod
    def page(self, *, last: bool) -> Request:
        """List the first hundred users of enterprise 0, or the last."""

    def head(self, method: str, path: str, enterprise: int, body: bytes = b"") -> bytes:
        """Return a request with the headers that Entra sends."""
        about_body = f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n" if body else ""
        return (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.tokens[enterprise]}\r\n"
            f"Accept: application/scim+json\r\n{about_body}\r\n"
        ).encode() + body

    def _page_holds(self) -> bytes:
        # Only a small population has fewer users than a page, with just created users among them.
        return f'"itemsPerPage":{PAGE},'.encode() if self.population.largest >= PAGE else b'"itemsPerPage":'


class ToService(Dialect):
    """The requests as Entra sends them."""

    def get(self, user: int) -> Request:
        path = f"{SCIM}/Users/{user_id(user)}"
        return Request(self.head("GET", path, self.population.enterprise_of(user)), holds=email(user).encode())

    def match(self, enterprise: int, address: str, expected: str) -> Request:
        query = urlencode({"filter": f'emails[type eq "work"].value eq "{address}"'}, quote_via=quote)
        return Request(self.head("GET", f"{SCIM}/Users?{query}", enterprise), holds=_match_holds(expected))

    def create(self, enterprise: int, name: str, role_name: str) -> Request:
        body = json.dumps(user_body(name, role_name)).encode()
        return Request(self.head("POST", f"{SCIM}/Users", enterprise, body), 201, holds=role_name.encode())

    def patch(self, user: int, revision: str) -> Request:
        body = json.dumps(change_body(revision)).encode()
        path = f"{SCIM}/Users/{user_id(user)}"
        enterprise = self.population.enterprise_of(user)
        return Request(self.head("PATCH", path, enterprise, body), holds=f"Engineer {revision}".encode())

    def delete(self, user: Created) -> Request:
        return Request(self.head("DELETE", f"{SCIM}/Users/{user.id}", user.enterprise), 204)

    def page(self, *, last: bool) -> Request:
        query = {"cursor": self.last_cursor} if last else {"startIndex": 1}
        return self.list_request({**query, "count": PAGE}, holds=self._page_holds())

    def list_request(self, query: dict[str, object], holds: bytes = b"") -> Request:
        """List users of enterprise 0."""
        return Request(self.head("GET", f"{SCIM}/Users?{urlencode(query)}", 0), holds=holds)


class ToFloor(Dialect):
    """The same requests in the form of the floor, which receives whole documents."""

    def get(self, user: int) -> Request:
        path = f"/users/{user_id(user)}"
        return Request(self.head("GET", path, self.population.enterprise_of(user)), holds=email(user).encode())

    def match(self, enterprise: int, address: str, expected: str) -> Request:
        path = f"/match?{urlencode({'email': address})}"
        return Request(self.head("GET", path, enterprise), holds=_match_holds(expected))

    def create(self, enterprise: int, name: str, role_name: str) -> Request:
        body = json.dumps(user_body(name, role_name)).encode()
        return Request(self.head("POST", "/users", enterprise, body), 201, holds=role_name.encode())

    def patch(self, user: int, revision: str) -> Request:
        document = user_body(user, role(user)) | {"id": user_id(user), "title": f"Engineer {revision}"}
        body = json.dumps(document).encode()
        path = f"/users/{user_id(user)}"
        enterprise = self.population.enterprise_of(user)
        return Request(self.head("PATCH", path, enterprise, body), holds=f"Engineer {revision}".encode())

    def delete(self, user: Created) -> Request:
        return Request(self.head("DELETE", f"/users/{user.id}", user.enterprise), 204)

    def page(self, *, last: bool) -> Request:
        ids = sorted(user_id(user) for user in self.population.members(0))
        after = ids[-PAGE - 1] if last and len(ids) > PAGE else ""
        return Request(self.head("GET", f"/list?after={after}", 0), holds=self._page_holds())


def _match_holds(expected: str) -> bytes:
    return expected.encode() or b'"Resources":[]'


@dataclass
class Draw:
    """The remaining requests of one measurement: their number, their users, and the users to delete."""

    dialect: Dialect
    count: int
    #: Distinguishes the users and values of one measurement from those of another.
    label: str
    created: list[Created] = field(default_factory=list)
    #: The enterprises in which this measurement creates users, flow by flow.
    creating_in: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.label)

    def users(self) -> list[int]:
        """Return the user for the next request."""
        return [self.random.randrange(self.dialect.population.users) for _ in range(self.count)]


def _get(draw: Draw) -> list[Flow]:
    return [(draw.dialect.get(user),) for user in draw.users()]


def _match_of(draw: Draw, user: int) -> Request:
    return draw.dialect.match(draw.dialect.population.enterprise_of(user), email(user), user_id(user))


def _match(draw: Draw) -> list[Flow]:
    return [(_match_of(draw, user),) for user in draw.users()]


def _create(draw: Draw) -> list[Flow]:
    draw.creating_in = [draw.dialect.population.enterprise_of(user) for user in draw.users()]
    return [
        (draw.dialect.create(enterprise, f"-{draw.label}-{number}", ROLES[number % 2]),)
        for number, enterprise in enumerate(draw.creating_in)
    ]


def _patch(draw: Draw) -> list[Flow]:
    return [(draw.dialect.patch(user, f"{draw.label}-{n}"),) for n, user in enumerate(draw.users())]


def _delete(draw: Draw) -> list[Flow]:
    return [(draw.dialect.delete(user),) for user in draw.created]


def _first_page(draw: Draw) -> list[Flow]:
    return [(draw.dialect.page(last=False),)] * draw.count


def _last_page(draw: Draw) -> list[Flow]:
    return [(draw.dialect.page(last=True),)] * draw.count


def _first_cycle(draw: Draw) -> list[Flow]:
    creates = _create(draw)
    return [
        (draw.dialect.match(enterprise, email(f"-{draw.label}-{number}"), ""), *flow)
        for number, (enterprise, flow) in enumerate(zip(draw.creating_in, creates, strict=True))
    ]


def _incremental_cycle(draw: Draw) -> list[Flow]:
    return [
        (_match_of(draw, user), draw.dialect.patch(user, f"{draw.label}-{n}")) for n, user in enumerate(draw.users())
    ]


@dataclass(frozen=True)
class Workload:
    """A kind of work. ``at_most`` is its maximum cost as a ratio to the floor's."""

    title: str
    at_most: float
    flows: Callable[[Draw], list[Flow]]


#: In the order in which they run. Deletion comes last, because it deletes the users that the others created.
WORKLOADS = {
    "get": Workload("GET a user", 1.4, _get),
    "match": Workload("match by work address", 1.4, _match),
    "create": Workload("create", 2.0, _create),
    "patch": Workload("PATCH, three operations", 2.0, _patch),
    "list-first": Workload("list of 100, first page", 1.5, _first_page),
    "list-last": Workload("list of 100, last page by cursor", 1.5, _last_page),
    "first-cycle": Workload("first cycle (match, create)", 1.7, _first_cycle),
    "incremental": Workload("incremental cycle (match, PATCH)", 1.7, _incremental_cycle),
    "delete": Workload("delete", 1.7, _delete),
}
