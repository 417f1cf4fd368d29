"""Compile each URL rule and each template, and register the front ends, once in a process.

Nearly every test creates an app. Nine tenths of that time was Werkzeug's, because it builds two functions for each URL
rule from syntax trees. The result depends only on the text of the rule. The same is true of the console's templates.
Four fifths of the rest was the registration of the blueprints, which is the same for all apps.
"""

from collections.abc import Callable
from types import MethodType
from typing import Any

import pytest
from flask import Flask
from flask.templating import Environment
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

import scimsvc
from scimsvc.cli.command_group import CommandGroup


def remember_compiled_rules(patch: pytest.MonkeyPatch) -> None:
    """Let equal URL rules share their compiled functions, until ``patch`` is undone."""
    compile_rule: Callable[[Rule], None] = Rule.compile
    compiled: dict[Any, Rule] = {}

    def compile_once(rule: Rule) -> None:
        key = rule.rule, rule.subdomain, rule.host, rule.merge_slashes
        if rule.defaults:  # the functions contain the values of the defaults
            compile_rule(rule)
        elif key not in compiled:
            compile_rule(rule)
            compiled[key] = rule
        else:
            first = compiled[key]
            rule.arguments |= first.arguments
            rule._parts, rule._trace, rule._converters = first._parts, first._trace, first._converters
            for name in ("_build", "_build_unknown"):
                setattr(rule, name, MethodType(getattr(first, name).__func__, rule))

    patch.setattr(Rule, "compile", compile_once)


class _MemoryCache(BytecodeCache):
    """Compiled templates, by what Jinja makes of name and file."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


def remember_compiled_templates(patch: pytest.MonkeyPatch) -> None:
    """Let apps share compiled templates, until ``patch`` is undone."""
    create_environment: Callable[[Flask], Environment] = Flask.create_jinja_environment
    cache = _MemoryCache()

    def create(app: Flask) -> Environment:
        environment = create_environment(app)
        environment.bytecode_cache = cache
        return environment

    patch.setattr(Flask, "create_jinja_environment", create)


#: The additions of the registration of blueprints to an app, by blueprint. The entry None belongs to the app itself.
_BY_BLUEPRINT = (
    "error_handler_spec",
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "template_context_processors",
    "url_value_preprocessors",
    "url_default_functions",
)


def remember_registered_front_ends(patch: pytest.MonkeyPatch) -> None:
    """Let apps share the URL map and the views of the first one, until ``patch`` is undone. No test adds a route."""
    register: Callable[[Flask], None] = scimsvc._register_front_ends
    registered: list[Flask] = []

    def register_once(app: Flask) -> None:
        if not registered:
            register(app)
            registered.append(app)
            return
        first = registered[0]
        app.url_map, app.view_functions, app.blueprints = first.url_map, first.view_functions, first.blueprints
        for name in _BY_BLUEPRINT:
            of_blueprints = {key: value for key, value in getattr(first, name).items() if key is not None}
            getattr(app, name).update(of_blueprints)
        for name in ("filters", "tests", "globals"):
            of_app = getattr(app.jinja_env, name)
            of_app.update({key: value for key, value in getattr(first.jinja_env, name).items() if key not in of_app})
        app.cli = CommandGroup(app.name)

    patch.setattr(scimsvc, "_register_front_ends", register_once)
