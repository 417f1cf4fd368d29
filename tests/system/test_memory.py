"""Requests of strangers and of one tenant leave nothing in the memory of the process."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.support.attacks import resident
from tests.support.client import MEDIA_TYPE, patch_body, replace, user_body
from tests.support.hostile import FORM
from tests.support.live import Live, serving

pytestmark = [pytest.mark.slow, pytest.mark.system]

MIB = 2**20
#: Bytes that a process may keep after any work: pages of the allocator, and caches of short texts.
MOST_KEPT = 8 * MIB
LONG = 60_000
METRICS_TOKEN = "a-token-of-the-metrics"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A new process, because memory that another attack freed would hide what this one keeps."""
    with serving(tmp_path, METRICS_TOKEN=METRICS_TOKEN) as made:
        yield made


def kept(live: Live, attack: Callable[[int], object], number: int) -> int:
    """Return the bytes that the process keeps after ``attack`` with each number. A tenth of them warms it up."""
    for turn in range(number // 10):
        attack(-1 - turn)
    before = resident(live.process.pid)
    for turn in range(number):
        attack(turn)
    size = resident(live.process.pid) - before
    print(f"{size / MIB:.1f} MiB")  # pytest shows it with -rP
    return size


def text(turn: int, length: int = LONG) -> str:
    """Return a text of ``length`` characters that is different for each turn."""
    return f"{turn:06}".replace("-", "m") + "x" * (length - 6)


def bearer(live: Live, token: str) -> int:
    return live.send("GET", "/api/scim/v2/Users", headers={"Authorization": f"Bearer {token}"}).status


@pytest.mark.parametrize("characters", [79_000, 10_000])
def test_long_addresses_at_the_sign_in_page_are_not_kept(live: Live, characters: int) -> None:
    """A character that folds to three, and one outside the basic plane, multiply the size of the text."""
    page = live.send("GET", "/console/sign-in")
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    headers = {"Content-Type": FORM, "Cookie": page.headers["Set-Cookie"].partition(";")[0]}
    folded = "\N{GREEK SMALL LETTER IOTA WITH DIALYTIKA AND TONOS}"

    def sign_in(turn: int) -> None:
        email = f"{turn}\N{GRINNING FACE}" + folded * characters
        answer = live.send("POST", "/console/sign-in", urlencode({"csrf_token": token, "email": email}), headers)
        assert answer.status in (400, 413)

    assert kept(live, sign_in, 40) <= MOST_KEPT


def test_long_client_ids_are_not_kept(live: Live) -> None:
    def request_token(turn: int) -> None:
        form = {"grant_type": "client_credentials", "client_id": text(turn), "client_secret": "x"}
        answer = live.send("POST", "/api/authenticate", urlencode(form), {"Content-Type": FORM})
        assert answer.status in (400, 401, 429)

    assert kept(live, request_token, 300) <= MOST_KEPT


@pytest.mark.parametrize("prefix", ["", "scimsvc_"])
def test_long_tokens_are_not_kept(live: Live, prefix: str) -> None:
    assert kept(live, lambda turn: bearer(live, prefix + text(turn)), 400) <= MOST_KEPT


def test_tokens_that_this_service_did_not_issue_are_not_kept(live: Live) -> None:
    assert kept(live, lambda turn: bearer(live, "scimsvc_" + text(turn, 500)), 4000) <= MOST_KEPT


def test_long_spellings_of_a_valid_token_are_not_kept(live: Live) -> None:
    def read(turn: int) -> None:
        value = "Bearer " + " " * (LONG + turn) + live.token
        assert live.send("GET", "/api/scim/v2/Users", headers={"Authorization": value}).status in (200, 401)

    assert kept(live, read, 300) <= MOST_KEPT


def test_long_names_of_parameters_are_not_kept(live: Live) -> None:
    assert kept(live, lambda turn: live.send("GET", f"/healthz?{text(turn)}=1"), 300) <= MOST_KEPT


def test_long_hosts_are_not_kept(live: Live) -> None:
    assert kept(live, lambda turn: live.send("GET", "/healthz", headers={"Host": text(turn)}), 300) <= MOST_KEPT


def test_long_paths_are_not_kept(live: Live) -> None:
    assert kept(live, lambda turn: live.send("GET", "/" + text(turn)), 300) <= MOST_KEPT


def test_long_pages_to_return_to_are_not_kept(live: Live) -> None:
    def open_page(turn: int) -> None:
        live.send("GET", f"/console/account?{text(turn, 30_000)}")
        live.send("GET", f"/console/sign-in?next={quote('/console/' + text(turn, 30_000))}")

    assert kept(live, open_page, 200) <= MOST_KEPT


def test_long_links_to_a_password_are_not_kept(live: Live) -> None:
    assert kept(live, lambda turn: live.send("GET", f"/console/password/{text(turn)}"), 300) <= MOST_KEPT


def test_long_identifiers_and_cookies_are_not_kept(live: Live) -> None:
    def open_page(turn: int) -> None:
        cookie = f"scimsvc_console={text(turn, 30_000)}; scimsvc_console_browser={text(turn, 20_000)}"
        live.send("GET", "/console", headers={"Cookie": cookie, "X-Request-ID": text(turn, 1_000)})

    assert kept(live, open_page, 200) <= MOST_KEPT


def test_wrong_metrics_tokens_are_not_kept(live: Live) -> None:
    def read(turn: int) -> None:
        answer = live.send("GET", "/metrics", headers={"Authorization": f"Bearer {text(turn)}"})
        assert answer.status in (401, 429)

    assert kept(live, read, 300) <= MOST_KEPT


ATTRIBUTES = ("title", "nickName", "userType", "displayName", "name.familyName", "name.givenName", "locale")


def test_filters_of_different_structures_are_not_kept(live: Live) -> None:
    def search(turn: int) -> None:
        choose = random.Random(turn)
        pairs = [(choose.choice(ATTRIBUTES), choose.choice(("eq", "co", "sw", "ne"))) for _ in range(60)]
        text = " or ".join(f'{attribute} {operator} "{"x" * 60}"' for attribute, operator in pairs)
        assert live.send("GET", f"/api/scim/v2/Users?filter={quote(text)}").status == 200

    assert kept(live, search, 60) <= MOST_KEPT


def test_long_filters_in_paths_are_not_kept(live: Live) -> None:
    created = live.send(
        "POST", "/api/scim/v2/Users", json.dumps(user_body("a@example.com")), {"Content-Type": MEDIA_TYPE}
    )
    path = f"/api/scim/v2/Users/{created.json()['id']}"

    def patch(turn: int) -> None:
        operations = [replace(f'phoneNumbers[type eq "{text(turn * 100 + n, 7_000)}"].value', "1") for n in range(30)]
        assert live.send("PATCH", path, json.dumps(patch_body(*operations)), {"Content-Type": MEDIA_TYPE}).status < 500

    assert kept(live, patch, 40) <= MOST_KEPT
