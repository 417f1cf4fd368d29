"""The enterprise API of scimsvc, with only the standard library."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

#: Seconds. The server answers a request that waits for changes within 25.
TIMEOUT = 35


class NotFound(Exception):
    """The user does not exist."""


class CursorExpired(Exception):
    """The changes after the cursor are no longer kept."""


class Service:
    """Sends requests to one enterprise, and fetches a new API token when the old one has expired."""

    def __init__(self, url: str, client_id: str, client_secret: str) -> None:
        self.url = url.rstrip("/")
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._token: str | None = None

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON at ``path`` below /api/v1.

        Raises NotFound, CursorExpired, or OSError if the service cannot answer now.
        """
        url = f"{self.url}/api/v1{path}?{urlencode(query)}"
        try:
            return self._read_with_fresh_token(url)
        except HTTPError as error:
            if error.code == 404:
                raise NotFound(path) from None
            if error.code == 410:
                raise CursorExpired from None
            raise

    def _read_with_fresh_token(self, url: str) -> Any:
        try:
            return self._read(url)
        except HTTPError as error:
            if error.code != 401:
                raise
            self._token = None  # it has expired or was revoked
            return self._read(url)

    def _read(self, url: str) -> Any:
        if self._token is None:
            self._token = self._fetch_token()
        with urlopen(Request(url, headers={"Authorization": f"Bearer {self._token}"}), timeout=TIMEOUT) as response:
            return json.load(response)

    def _fetch_token(self) -> str:
        form = urlencode({"grant_type": "client_credentials"} | self._credentials).encode()
        with urlopen(Request(f"{self.url}/api/authenticate", form), timeout=TIMEOUT) as response:
            return str(json.load(response)["access_token"])
