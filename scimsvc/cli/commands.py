"""The commands by name, and the page of ``scimsvc --help``; it imports nothing, so that both are printed at once."""

#: Each command with its line on the page. A command is in the module and under the name that it has here, with ``_``
#: for ``-``.
COMMANDS = {
    "admin": "Create, list and remove accounts of the console.",
    "backup": "Copy the SQLite database to a new file while it serves.",
    "changes": "Read the change feed in commit order.",
    "check": "Check the integrity and the consistency of the database.",
    "enterprise": "Create, show, change, pause and delete enterprises.",
    "explain": "Show what a SCIM request would do, without doing it.",
    "init": "Create the database, or upgrade its schema; safe to repeat.",
    "integration": "Create, list, rename, rotate and revoke integrations.",
    "log": "Show and prune the provisioning log.",
    "migrate-to": "Copy everything from SQLite into an empty PostgreSQL.",
    "quickstart": "Set everything up, print what Entra needs, and serve.",
    "role": "Add, list, preview, change and remove roles.",
    "serve": "Serve until SIGTERM or SIGINT.",
    "settings": "Show and change the global settings.",
    "token": "Issue, list and revoke access tokens.",
    "user": "Create, change, delete, import and export users.",
}

DESCRIPTION = """\
Provision an application's users from Microsoft Entra ID by SCIM 2.0.

Start with `scimsvc quickstart`. Settings come from environment variables
that begin with SCIMSVC_; the manual lists them. ENTERPRISE is an
enterprise's id or its name. Every command that prints a result takes
--json."""

HELP_OPTIONS = ("-h", "--help")


def help_page() -> str:
    """Return what ``scimsvc --help`` prints; Click writes the same on a terminal of 80 columns."""
    width = max(map(len, COMMANDS))
    description = "\n".join(f"  {line}".rstrip() for line in DESCRIPTION.splitlines())
    commands = "\n".join(f"  {name.ljust(width)}  {summary}" for name, summary in COMMANDS.items())
    return f"""\
Usage: scimsvc [OPTIONS] COMMAND [ARGS]...

{description}

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

Commands:
{commands}"""


def version_line() -> str:
    """Return what ``scimsvc --version`` prints."""
    from scimsvc import __version__

    return f"scimsvc, version {__version__}"
