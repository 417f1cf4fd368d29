"""Everything that is stored, and all SQL.

Start with the module of a table family: ``users`` (with ``user_pages``, ``user_writes`` and ``profiles``), ``roles``,
``enterprises``, ``integrations``, ``tokens``, ``admins``, ``settings``, ``log`` and ``feed``. Each one declares its
statements and the types of their rows. Use cases call its functions within a transaction.

``representations`` turns rows into SCIM and back. The rooms: ``engine`` has connections, transactions and statements,
``fast`` the fast paths behind them, ``filters`` turns filters into SQL, and ``upkeep`` serves operators.
"""
