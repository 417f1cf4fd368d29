"""The types of fixtures that are functions."""

from typing import Any, Protocol

from flask import Flask


class Cli(Protocol):
    """Runs a command on the test's app with --json and returns its result."""

    def __call__(self, *words: str) -> Any: ...


class MakeApp(Protocol):
    """Makes an app on the test's database, with further settings."""

    def __call__(self, **settings: Any) -> Flask: ...
