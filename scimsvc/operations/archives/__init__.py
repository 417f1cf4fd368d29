"""Export an enterprise as an archive, and import it into another installation (``docs/operate/move-enterprise.md``).

An archive is a ZIP file with one file of JSON lines for each table, and ``manifest.json`` with their checksums.

- ``container`` writes and reads the ZIP file. It trusts nothing in it.
- ``columns`` says which values a column may have.
- ``rows`` turns a line into a row, with the columns that are derived from others.
- ``exporting`` and ``importing`` are the use cases. ``store/upkeep/enterprise_rows.py`` decides about each table.
"""
