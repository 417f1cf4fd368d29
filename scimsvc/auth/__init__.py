"""Authentication: a client ID and secret become a signed token, and no protected path is served without one.

1. `blueprint` serves `POST /api/authenticate` and `POST /api/revoke`.
2. `clients` checks the client ID and secret, and `grants` issues the token that `tokens` signs.
3. `guard` runs before every request below the Tenant URL and `/api/v1`; `callers` turns the token into a `Caller`.
"""
