"""Erase the traces of a person: replace names and addresses in logs by a pseudonym (``docs/operate/privacy.md``).

- ``person`` finds out under which IDs and values a person was recorded.
- ``texts`` replaces values in free text.
- ``entries`` decides for each table what changes in a row.
- ``erasing`` is the use case.
"""
