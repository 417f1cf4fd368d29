"""The fast paths of storage: less work between a statement and the database driver.

Each part is hidden behind the functions that it speeds up. No other package depends on it.

``prepared``, ``driver``
    Compile a statement to SQL once, and run it on the driver's cursor. Used by ``engine.statements``. Saves 32 to 42 %
    of a request: SQLAlchemy takes 70 µs to execute a statement that takes 10 µs here.
``connections``
    Keep a connection per thread, instead of taking one from the pool for each request. Used by
    ``engine.transactions``. Saves 22 to 37 % of a request: the pool costs a read 75 µs, and a write 200 µs.
``fair_lock``
    Queue the threads that write to SQLite. Used by ``engine.transactions``. The slowest write of eight clients takes a
    fifth of the time.

The savings are shares of the CPU time that a request spends in the service, with a SQLite file in memory, for GET by
id, Entra's match, POST, PATCH, DELETE and a list of 100 users. To measure a part, we switched it on and off for every
other request. ``prepared`` and ``connections`` together save half of a request.

SQLAlchemy still defines the behavior. Its Core expressions are compiled, its types convert parameters and columns, and
errors of the driver are raised as its exceptions. Connections come from its pool. They return to it when they fail,
when their thread ends, and when the engine is disposed of.

To switch these parts off, run the code within ``scimsvc.fast_paths.disabled()``. SQLAlchemy then runs statements,
connections and transactions. The fair lock stays on, because SQLite does not keep the order of writers.
``tests/scim/test_fast_paths.py`` compares both ways.
"""
