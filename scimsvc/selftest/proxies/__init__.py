"""Checks of what proxies break. ``CHECKS`` are run in order."""

from scimsvc.selftest.session import Check

CHECKS: tuple[Check, ...] = ()
