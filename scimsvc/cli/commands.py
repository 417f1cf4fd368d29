"""List the commands and render ``scimsvc --help``. Imports nothing, so that the help appears immediately."""

#: The summary of each command in the help. Module and function are named like the command, with ``_`` for ``-``.
COMMANDS = {
    "admin": "Create, list and remove console accounts.",
    "attribute": "Add, list and remove custom attributes of users.",
    "audit": "Show the audit log: who changed what, and who signed in.",
    "backup": "Copy the SQLite database to a new file while it serves.",
    "changes": "Read the change feed in commit order.",
    "check": "Check the integrity and consistency of the database.",
    "deliver": "Run the background work beside another WSGI server.",
    "enterprise": "Create, show, change, suspend and delete enterprises.",
    "explain": "Show what a SCIM request would do, without doing it.",
    "group": "List and show groups and their members.",
    "init": "Create the database or upgrade its schema. Safe to repeat.",
    "integration": "Create, list, limit, rotate and revoke integrations.",
    "key": "Create secret keys.",
    "log": "Show and prune the provisioning log.",
    "migrate-to": "Copy everything from SQLite into an empty PostgreSQL.",
    "quickstart": "Set everything up, print the values for Entra, and serve.",
    "role": "Add, list, preview, change and remove roles.",
    "serve": "Serve until SIGTERM or SIGINT.",
    "settings": "Show and change the global settings.",
    "token": "Issue, list, rotate and revoke access tokens.",
    "user": "Create, change, delete, import and export users.",
    "webhook": "Create, list, change, test and replay webhooks.",
}

DESCRIPTION = """\
Provision the users of an application from Microsoft Entra ID over SCIM 2.0.

Start with `scimsvc quickstart`. Settings are environment variables that
begin with SCIMSVC_; the manual lists them. ENTERPRISE is the ID or name of
an enterprise. Every command that prints a result accepts --json."""

HELP_OPTIONS = ("-h", "--help")


def help_page() -> str:
    """Return the text of ``scimsvc --help``, the same that Click writes on a terminal of 80 columns."""
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
    """Return the text of ``scimsvc --version``."""
    from scimsvc import __version__

    return f"scimsvc, version {__version__}"
