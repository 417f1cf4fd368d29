"""Everything that is stored, and all SQL.

Start with the module of a table family: ``users`` (with ``user_pages``, ``user_writes`` and ``profiles``), ``roles``,
``enterprises``, ``integrations``, ``tokens``, ``admins``, ``settings``, ``log`` and ``feed``. Each one declares its
statements and the types of their rows (``statements``). Use cases call its functions within a transaction
(``transactions``).

``representations`` turns rows into SCIM and back, ``compiler`` turns filters into SQL, and ``fast`` holds the fast
paths. ``integrity``, ``maintenance``, ``copying`` and ``sqlite_backup`` are for operators.
"""
