"""The blueprint of files of users: export all users, and import manual users after a check."""

import base64
import binascii

from flask import request

from scimsvc.console.forms import redisplay_on_error
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, go, page
from scimsvc.enterprises import user_csv
from scimsvc.enterprises.user_files import ImportCheck, check_import, export_users, import_users
from scimsvc.errors import InvalidInput
from scimsvc.web.downloads import send_download

user_files = enterprise_blueprint("user_files")

#: Bytes of a file. The checked file comes back in a form, as Base64, whose fields have at most 500,000 bytes.
MOST_BYTES = 350_000
#: Users and problems that the check shows.
SHOWN = 20
MOST_PROBLEMS = 100


@user_files.get("/users.csv")
def export() -> Answer:
    """Send all users as a CSV file, like ``scimsvc user export``."""
    lines = user_csv.write_lines(export_users(enterprise_id()))
    advice = "Export the users with the command 'scimsvc user export'."
    return send_download(enterprise_id(), lines, name="users.csv", media_type="text/csv; charset=utf-8", advice=advice)


@user_files.get("/users/import")
def ask() -> Answer:
    """Show the form for a file."""
    return _page(None, b"")


@user_files.post("/users/import")
@redisplay_on_error(ask)
def check() -> Answer:
    """Show what the import of the file would do. Nothing is written."""
    file = request.files.get("file")
    content = file.read(MOST_BYTES + 1) if file is not None else b""
    if not content:
        raise InvalidInput("Choose a CSV file.", {"file": ["Choose a CSV file that is not empty."]})
    if len(content) > MOST_BYTES:
        problem = f"The file has more than {MOST_BYTES:,} bytes."
        raise InvalidInput(problem, {"file": [f"{problem} Split it, or use the command 'scimsvc user import'."]})
    return _page(check_import(enterprise_id(), content, shown=SHOWN), content)


@user_files.post("/users/import/apply")
@redisplay_on_error(ask)
def apply() -> Answer:
    """Import the file that was checked."""
    try:
        content = base64.b64decode(request.form.get("content", ""), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        raise InvalidInput("The checked file is missing. Choose it again.", {"file": ["Choose the file again."]})
    number = import_users(enterprise_id(), content)
    return go("console_users.list_", f"{number:,} {'user' if number == 1 else 'users'} imported.", source="manual")


def _page(checked: ImportCheck | None, content: bytes) -> Answer:
    return page(
        "user_import.html",
        checked=checked,
        content=base64.b64encode(content).decode(),
        columns=user_csv.import_columns(),
        most_problems=MOST_PROBLEMS,
        most_bytes=MOST_BYTES,
    )
