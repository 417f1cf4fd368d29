"""Compare an export of the directory with the users of an enterprise. It reports differences and changes nothing.

``csv_reading`` and ``json_reading`` turn a file into records, ``columns`` recognizes what the columns mean, and
``reading`` puts them together. ``comparison`` matches the people of the file with the users, ``findings`` has the
differences, and ``report`` writes them. Both sides are in a temporary SQLite database, so that a million lines need
little memory.
"""
