"""The values that a check works with: the target, the token and the reserved names of a run."""

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote

from scimsvc.selftest.exchange import TIMEOUT, Answer, Connection, Request, exchange
from scimsvc.selftest.findings import Finding
from scimsvc.selftest.target import Target
from scimsvc.vocabulary import TOKEN_PREFIX

#: The end of every address of the self-test. RFC 6761 reserves ``.invalid``, so that no mail can reach it.
RESERVED_DOMAIN = "selftest.scimsvc.invalid"
_CREATED = 201
#: The beginning of every name of a group of the self-test.
RESERVED_NAME = "scimsvc selftest "


def new_run() -> str:
    """Return a unique name of a run: eight hexadecimal digits."""
    return secrets.token_hex(4)


@dataclass(frozen=True)
class Session:
    """A run against one target.

    ``run`` is the unique name of the run. ``config`` is the server's ServiceProviderConfig, empty until it is read.
    ``api_token`` reaches the enterprise API; None where no database is at hand. ``roles`` are roles that the server
    accepts, empty if none are known. ``pause`` is how long slow clients pause, in seconds, and ``poll_seconds`` how
    long followers of the change feed wait. ``created`` has the paths of the users and groups that the run created.
    """

    target: Target
    token: str
    run: str = field(default_factory=new_run)
    config: dict[str, Any] = field(default_factory=dict)
    api_token: str | None = None
    roles: tuple[str, ...] = ()
    has_groups: bool = True
    pause: float = 5.0
    poll_seconds: int = 25
    created: set[str] = field(default_factory=set)

    def with_waits(self, quick: bool) -> Self:
        """Return the session with short waits if ``quick``. They do not show time limits of a few seconds."""
        return replace(self, pause=0.25, poll_seconds=2) if quick else self

    @property
    def domain(self) -> str:
        """The domain of the addresses of this run."""
        return f"{self.run}.{RESERVED_DOMAIN}"

    @property
    def is_scimsvc(self) -> bool:
        """Whether the server is scimsvc, so that its contract applies. Its tokens show that, through any proxy."""
        return self.token.startswith(TOKEN_PREFIX)

    def supports(self, feature: str) -> bool:
        """Return whether the server announces a feature of its ServiceProviderConfig, such as ``patch``."""
        announced = self.config.get(feature)
        return isinstance(announced, dict) and announced.get("supported") is True

    def address(self, name: str) -> str:
        """Return an address under the reserved domain of this run."""
        return f"{name}@{self.domain}"

    def group_name(self, name: str) -> str:
        """Return a reserved name of a group of this run."""
        return f"{RESERVED_NAME}{self.run} {name}"

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: dict[str, str | None] | None = None,
        version: str = "1.1",
        timeout: float = TIMEOUT,
    ) -> Request:
        """Return a request below the Tenant URL with the token. ``body`` is bytes, or is written as JSON.

        ``path`` begins after the Tenant URL and is sent as it is, so it must be encoded.
        """
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return Request(method, self.target.prefix + path, sent, content, version, timeout)

    def send(self, method: str, path: str, *, over: Connection | None = None, **options: Any) -> Answer:
        """Send ``request`` over a new connection, or ``over`` one that is kept. Raises ``TransportFailure``.

        A user or a group that it creates is noted, so that it is deleted at the end.
        """
        request = self.request(method, path, **options)
        answer = exchange(self.target, request) if over is None else over.send(request)
        if method == "POST" and answer.status == _CREATED and isinstance(answer.document.get("id"), str):
            self.created.add(f"{path.partition('?')[0].rstrip('/')}/{quote(answer.document['id'])}")
        return answer

    def connect(self) -> Connection:
        """Return a connection that several requests can share."""
        return Connection(self.target)


#: A check sends requests and yields findings. It may raise ``TransportFailure``.
Check = Callable[[Session], Iterator[Finding]]
