"""Writers that record acknowledged writes in a ledger, to compare with the database after a crash.

Every write of a user sets three attributes to the same mark, so that a partial write is visible.
"""

import json
import random
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from http.client import HTTPConnection, HTTPException
from typing import Any, Self
from urllib.parse import urlsplit

from tests.support.client import CONTENT_TYPE, SCIM, patch_body, replace, user_body
from tests.support.urns import GROUP_URN

PATIENCE = 30.0


class Client:
    """One connection that stays open, like a provider's. It is opened again after it breaks."""

    def __init__(self, base_url: str, token: str) -> None:
        self.token = token
        self.point_at(base_url)

    def point_at(self, base_url: str) -> None:
        """Send the next requests to another server."""
        url = urlsplit(base_url)
        assert url.hostname is not None
        self._connection = HTTPConnection(url.hostname, url.port, timeout=PATIENCE)

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and body. Raises ``OSError`` or ``HTTPException`` if the response is incomplete."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": CONTENT_TYPE}
        try:
            self._connection.request(method, SCIM + path, None if body is None else json.dumps(body), headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            self._connection.close()
            raise
        return response.status, dict(response.getheaders()), json.loads(content) if content else None

    def close(self) -> None:
        self._connection.close()


Mark = str | None  # None: the user does not exist


class Writer(threading.Thread):
    """Creates, changes and deletes its users until it is stopped or its server is gone."""

    collection = "/Users"

    def __init__(self, base_url: str, token: str, *, forgiving: bool = False) -> None:
        super().__init__(daemon=True)
        self.client = Client(base_url, token)
        self.acknowledged: dict[str, Mark] = {}  # by work address
        self.ids: dict[str, str] = {}
        self.unanswered: dict[str, Mark] = {}  # the state after the last write, which was not answered
        self.counts: dict[int, int] = {}
        self.slowest = 0.0
        self.breaks = 0
        self._forgiving = forgiving  # whether to continue after a missing response
        self._stopping = threading.Event()

    def successor(self, base_url: str) -> Self:
        """Return a writer that continues with the resources of this one."""
        new = copy(self)
        Writer.__init__(new, base_url, self.client.token)
        new.acknowledged, new.ids = self.acknowledged, self.ids
        return new

    def created(self, email: str, mark: Mark) -> dict[str, Any]:
        """Return the body of a create."""
        return user_body(email, userName=email, **self.marked(mark))

    def marked(self, mark: Mark) -> dict[str, Any]:
        """Return the attributes that a write sets."""
        return {"title": mark, "externalId": mark, "nickName": mark}

    def mark_of(self, document: dict[str, Any] | None) -> Mark:
        """Return the mark of a stored resource, which its attributes must share."""
        if document is None:
            return None
        marks = {document.get("title"), document.get("externalId"), document.get("nickName")}
        assert len(marks) == 1, f"half a write: {marks}"
        return str(marks.pop())

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._write()
            except (OSError, HTTPException):
                self.breaks += 1
                if not self._forgiving:
                    break
                time.sleep(0.05)
        self.client.close()

    def stop(self) -> None:
        self._stopping.set()

    def _write(self) -> None:
        there = [email for email, mark in self.acknowledged.items() if mark and email not in self.unanswered]
        kind = random.choice(["create", "change", "change", "change", "delete"]) if len(there) > 2 else "create"
        email = f"u{secrets.token_hex(8)}@contoso.example" if kind == "create" else random.choice(there)
        mark = None if kind == "delete" else secrets.token_hex(8)
        path = self.collection + (f"/{self.ids[email]}" if kind != "create" else "")
        method, body = {
            "create": ("POST", self.created(email, mark)),
            "change": ("PATCH", patch_body(*(replace(name, value) for name, value in self.marked(mark).items()))),
            "delete": ("DELETE", None),
        }[kind]
        self.unanswered[email] = mark
        begin = time.monotonic()
        status, headers, answer = self.client.send(method, path, body)
        self.slowest = max(self.slowest, time.monotonic() - begin)
        self.counts[status] = self.counts.get(status, 0) + 1
        if status >= 500:
            # The write may be committed or not, because the response of the commit was lost. It is not repeated.
            assert status == 503, (status, answer)
            assert int(headers["Retry-After"]) > 0
            time.sleep(0.05)
            return
        assert status in (200, 201, 204), (status, answer)
        del self.unanswered[email]
        self.acknowledged[email] = mark
        if kind == "create":
            self.ids[email] = answer["id"]

    def disagreements(self, stored: dict[str, dict[str, Any]]) -> Iterator[str]:
        """Yield the differences between ``stored`` (documents by work address) and this writer's users."""
        for email in self.acknowledged.keys() | self.unanswered.keys():
            may_be = {self.acknowledged.get(email)}
            if email in self.unanswered:
                may_be.add(self.unanswered[email])
            found = self.mark_of(stored.get(email))
            if found not in may_be:
                yield f"{email} is {found}, not {may_be}"

    def settle(self, stored: dict[str, dict[str, Any]]) -> None:
        """Accept the stored outcome of unanswered writes."""
        for email in self.unanswered:
            self.acknowledged[email] = self.mark_of(stored.get(email))
            if email in stored:
                self.ids[email] = stored[email]["id"]
        self.unanswered.clear()


class GroupWriter(Writer):
    """Creates, changes and deletes groups. The mark of a group decides which of the eight ``users`` are its members."""

    collection = "/Groups"

    def __init__(self, base_url: str, token: str, users: list[str]) -> None:
        super().__init__(base_url, token)
        self.users = users

    def created(self, email: str, mark: Mark) -> dict[str, Any]:
        return {"schemas": [GROUP_URN], "displayName": email, **self.marked(mark)}

    def marked(self, mark: Mark) -> dict[str, Any]:
        return {"externalId": mark, "members": [{"value": user} for user in self._members(mark)]}

    def mark_of(self, document: dict[str, Any] | None) -> Mark:
        if document is None:
            return None
        mark = str(document["externalId"])
        members = {member["value"] for member in document["members"]}
        assert members == set(self._members(mark)), f"half a write: {mark}, {members}"
        return mark

    def _members(self, mark: Mark) -> list[str]:
        chosen = int(mark[:2], 16) if mark else 0
        return [user for number, user in enumerate(self.users) if chosen >> number & 1]


@contextmanager
def writing_to(*writers: Writer) -> Iterator[None]:
    """Start the writers; stop and join them at the end."""
    for writer in writers:
        writer.start()
    try:
        yield
    finally:
        for writer in writers:
            writer.stop()
        for writer in writers:
            writer.join(PATIENCE)
            assert not writer.is_alive()


def totals(writers: list[Writer]) -> dict[int, int]:
    """Return the number of responses with each status."""
    counts: dict[int, int] = {}
    for writer in writers:
        for status, count in writer.counts.items():
            counts[status] = counts.get(status, 0) + count
    return counts


def documents(rows: Iterator[tuple[str]] | Any) -> dict[str, dict[str, Any]]:
    """Return stored documents by their first address."""
    read = (json.loads(row[0]) for row in rows)
    return {document["emails"][0]["value"]: document for document in read}
