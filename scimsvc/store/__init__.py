"""All stored data and all SQL.

Start with the module of a table family: ``users`` (with ``user_pages``, ``user_writes`` and ``profiles``), ``roles``,
``enterprises``, ``integrations``, ``tokens``, ``admins``, ``settings``, ``log`` and ``feed``. Each module declares its
statements and the types of their rows. Use cases call its functions within a transaction.

``representations`` converts rows to SCIM and back. Packages: ``engine`` provides connections, transactions and
statements, ``fast`` makes them fast, ``filters`` compiles filters to SQL, and ``upkeep`` serves operators.
"""
