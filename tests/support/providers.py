"""Providers of single sign-on: one in a separate process, and one that can forge its responses."""

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.support.live import PATIENCE

CLIENT_ID, CLIENT_SECRET = "scimsvc-console", "a secret of tests"
SUBJECT = "8f0c2b1e"
_DISCOVERY = "/.well-known/openid-configuration"


def single_sign_on(issuer: str, **settings: str) -> dict[str, str]:
    """Return the settings of single sign-on at ``issuer``."""
    return {
        "OIDC_ISSUER": issuer,
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "PUBLIC_URL": "http://localhost",
        **settings,
    }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class RealProvider:
    """``oidc-provider-mock``, a provider that signs in everyone by name."""

    issuer: str

    def set_user(self, subject: str, **claims: Any) -> None:
        """Set the claims of a person."""
        body = json.dumps(claims).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(
            urllib.request.Request(f"{self.issuer}/users/{subject}", body, headers, method="PUT")
        ).close()

    def sign_in(self, authorization_url: str, subject: str) -> str:
        """Sign in as the person with the ``subject``, and return the path of the response."""
        return self._submit(authorization_url, {"sub": subject})

    def deny(self, authorization_url: str) -> str:
        """Deny access, and return the path of the response."""
        return self._submit(authorization_url, {"action": "deny"})

    def _submit(self, authorization_url: str, form: dict[str, str]) -> str:
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            opener.open(authorization_url, urlencode(form).encode())
        except urllib.error.HTTPError as answer:
            with answer:
                return path_of(answer.headers["Location"])
        raise AssertionError("the provider did not redirect")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def path_of(url: str) -> str:
    """Return the path and query of ``url``."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


@contextmanager
def real_provider(folder: Path) -> Iterator[RealProvider]:
    """Run ``oidc-provider-mock`` in a process of its own."""
    port = free_port()
    with (folder / "provider.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"],
            stdout=log,
            stderr=log,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )
    try:
        issuer = f"http://127.0.0.1:{port}"
        _wait_for(issuer + _DISCOVERY)
        yield RealProvider(issuer)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError):
            urllib.request.urlopen(url).close()
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")


@dataclass
class ForgingProvider:
    """A provider whose ID tokens and documents a test can forge. It checks requests as a strict provider does."""

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"}))
    published: list[dict[str, Any]] = field(default_factory=list)
    #: Changes the claims of the next ID token.
    forge: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    #: Signs claims.
    sign: Callable[["ForgingProvider", dict[str, Any]], str] = lambda self, claims: self.signed(claims)
    document: dict[str, Any] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)

    def signed(self, claims: dict[str, Any], key: RSAKey | OctKey | None = None, **header: str) -> str:
        """Return ``claims`` as a signed token."""
        head = {"alg": "RS256", "kid": "first"} | header
        registry = JWSRegistry(algorithms=["RS256", "HS256", "PS256"])
        return jwt.encode(head, claims, key or self.key, registry=registry)

    def publish(self, *keys: RSAKey) -> None:
        """Publish the public keys of ``keys``."""
        self.published = [key.as_dict(private=False) for key in keys]

    def authorize(self, authorization_url: str, **changes: str) -> str:
        """Sign someone in, and return the path of the response with other parameters."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        response = {"code": code, "state": query["state"]} | changes
        return f"{urlsplit(query['redirect_uri']).path}?{urlencode(response)}"

    # The endpoints.

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        } | self.document

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        begun = self.codes.pop(form.get("code", ""), None)
        expected = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        faults = {
            "client": authorization != expected,
            "code": begun is None,
            "redirect": begun is not None and form.get("redirect_uri") != begun["redirect_uri"],
            "verifier": begun is not None and challenge.decode().rstrip("=") != begun["code_challenge"],
        }
        self.refusals += [name for name, is_wrong in faults.items() if is_wrong]
        if begun is None or any(faults.values()):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": CLIENT_ID,
            "exp": now + 600,
            "iat": now,
            "nonce": begun["nonce"],
            **self.claims,
        }
        return 200, {
            "access_token": "access",
            "token_type": "Bearer",
            "expires_in": 600,
            "id_token": self.sign(self, self.forge(claims)),
        }


@contextmanager
def forging_provider() -> Iterator[ForgingProvider]:
    """Run a ``ForgingProvider`` in threads of this process."""
    provider = ForgingProvider()
    provider.publish(provider.key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.requests.append(self.path)
            documents = {_DISCOVERY: provider.metadata(), "/keys": {"keys": provider.published}}
            self._answer(200 if self.path in documents else 404, documents.get(self.path, {}))

        def do_POST(self) -> None:
            provider.requests.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.token(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
