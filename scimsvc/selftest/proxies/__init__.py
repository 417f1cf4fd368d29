"""Checks of what proxies break. ``CHECKS`` are run in order.

``catalog.toml`` has the title and the remedy of each, with lines for nginx and Caddy. The other modules
have the checks, a module for each family.
"""

from scimsvc.selftest.proxies.answers import check_answers
from scimsvc.selftest.proxies.bodies import check_bodies
from scimsvc.selftest.proxies.connections import check_connections
from scimsvc.selftest.proxies.forwarding import check_requests
from scimsvc.selftest.proxies.polling import check_polling
from scimsvc.selftest.proxies.queries import check_queries
from scimsvc.selftest.session import Check

CHECKS: tuple[Check, ...] = (
    check_connections,
    check_requests,
    check_queries,
    check_bodies,
    check_answers,
    check_polling,
)
