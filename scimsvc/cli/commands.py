"""List the commands and render ``scimsvc --help``. Imports nothing, so that the help appears immediately."""

#: The summary of each command in the help. Module and function are named like the command, with ``_`` for ``-``.
COMMANDS = {
    "admin": "Create, list and remove console accounts.",
    "attribute": "Add, list and remove custom attributes of users.",
    "audit": "Show the audit log: who changed what, and who signed in.",
    "backup": "Copy the SQLite database to a new file while it serves.",
    "changes": "Read the change feed in commit order.",
    "check": "Check the integrity and consistency of the database.",
    "completion": "Complete commands and names in bash, zsh and fish.",
    "deliver": "Run the background work beside another WSGI server.",
    "doctor": "Check the installation, and say what to change.",
    "enterprise": "Create, change, delete, export and import enterprises.",
    "explain": "Show what a SCIM request would do, without doing it.",
    "group": "List and show groups and their members.",
    "init": "Create the database or upgrade its schema. Safe to repeat.",
    "integration": "Create, list, limit, rotate and revoke integrations.",
    "key": "Create secret keys, and accept another key.",
    "log": "Show and prune the provisioning log.",
    "migrate-to": "Copy everything from SQLite into an empty PostgreSQL.",
    "quickstart": "Set everything up, print the values for Entra, and serve.",
    "reconcile": "Compare an export of the directory with the users.",
    "role": "Add, list, preview, change and remove roles.",
    "selftest": "Play an identity provider against an installation.",
    "serve": "Serve until SIGTERM or SIGINT.",
    "settings": "Show and change the global settings.",
    "status": "Show the installation at a glance.",
    "token": "Issue, list, rotate and revoke access tokens.",
    "user": "Create, change, delete, import, export and erase users.",
    "vacuum": "Give unused space of the SQLite file back to the disk.",
    "webhook": "Create, list, change, test and replay webhooks.",
}

#: The commands of each section of the help, the first needed first.
SECTIONS = {
    "Set up": ("quickstart", "init", "serve", "deliver", "key", "completion"),
    "Manage": (
        *("enterprise", "role", "user", "group", "attribute", "integration", "token", "webhook", "admin", "settings"),
    ),
    "Diagnose": ("status", "doctor", "log", "explain", "changes", "audit", "reconcile", "check", "selftest"),
    "Data": ("backup", "migrate-to", "vacuum"),
}

DESCRIPTION = """\
Provision the users of an application from Microsoft Entra ID over SCIM 2.0.

Start with `scimsvc quickstart`. Settings are environment variables that
begin with SCIMSVC_. ENTERPRISE is the ID or name of an enterprise. Every
command that prints a result accepts --format table|json|csv and --json."""

#: The last paragraphs of the help.
ENDING = (
    """\
Examples:
  scimsvc quickstart
  scimsvc log Contoso --failed --since yesterday
  scimsvc user list Contoso --format csv > users.csv""",
    """\
Exit status: 0 success, 1 refused or failed, 2 wrong usage or setting.""",
    """\
Manual: docs/index.md in the source. 'scimsvc COMMAND --help' explains a
command.""",
)

#: Examples by the words of a command, for its help.
EXAMPLES = {
    "admin create": ("admin create ada@example.com --enterprise Contoso", "admin create op@example.com --operator"),
    "audit": ("audit Contoso --since 7d", "audit --action token.issued --format csv"),
    "changes": ("changes Contoso --limit 10", "changes Contoso --follow --json"),
    "completion install": ("completion install", "completion install fish"),
    "enterprise create": ("enterprise create Contoso --role Signer --enable-scim",),
    "enterprise export": ("enterprise export Contoso contoso.zip",),
    "enterprise import": ("enterprise import contoso.zip", "enterprise import contoso.zip --name 'Contoso Ltd'"),
    "enterprise update": ("enterprise update Contoso --removal-limit 50 --removal-hours 24",),
    "explain": ("explain Contoso request.json",),
    "integration rotate": ("integration rotate Contoso 'Microsoft Entra ID' --overlap 24",),
    "log list": ("log Contoso --failed", "log Contoso --user ada@example.com --since yesterday"),
    "selftest": ("selftest --url https://scim.example.com/api/scim/v2 --token TOKEN --report ticket.txt",),
    "reconcile": (
        "reconcile Contoso exportUsers.csv --report differences.csv",
        "reconcile Contoso people.csv --column userName=login --confirmed-since 7d",
    ),
    "role add": ("role add Contoso 'Power Signer' --alias PowerSigner",),
    "role preview": ("role preview Contoso Signer",),
    "token issue": ("token issue Contoso --days 365 --name 'Entra production'", "token issue Contoso --api"),
    "token rotate": ("token rotate Contoso 1ebf498d371600b0477372c927b9e455 --overlap 48",),
    "user erase": ("user erase Contoso ada@example.com --dry-run", "user erase Contoso ada@example.com"),
    "user export": ("user export Contoso --output users.csv",),
    "user import": ("user import Contoso users.csv",),
    "user list": ("user list Contoso --role Signer", "user list Contoso --search ada --json"),
    "webhook create": ("webhook create Contoso https://app.example.com/hooks --type 'user.*'",),
}

HELP_OPTIONS = ("-h", "--help")


def help_page() -> str:
    """Return the text of ``scimsvc --help``, the same that Click writes on a terminal of 80 columns."""
    width = max(map(len, COMMANDS))
    description = "\n".join(f"  {line}".rstrip() for line in DESCRIPTION.splitlines())
    sections = "\n\n".join(
        "\n".join((f"{title}:", *(f"  {name.ljust(width)}  {COMMANDS[name]}" for name in names)))
        for title, names in SECTIONS.items()
    )
    ending = "\n\n".join(ENDING)
    return f"""\
Usage: scimsvc [OPTIONS] COMMAND [ARGS]...

{description}

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

{sections}

{ending}"""


def version_line() -> str:
    """Return the text of ``scimsvc --version``."""
    from scimsvc import __version__

    return f"scimsvc, version {__version__}"
