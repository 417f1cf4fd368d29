"""Authentication: the token endpoint issues signed tokens, and every protected path requires one.

1. `blueprint` serves `POST /api/authenticate` and `POST /api/revoke`.
2. `clients` checks the client ID and secret, and `grants` issues the token that `tokens` signs.
3. `guard` runs before every request below the Tenant URL and `/api/v1`. `callers` looks up the `Caller` of a token.
"""
