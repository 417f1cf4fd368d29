"""Compile each URL rule once in a process.

Nearly every test creates an app. Nine tenths of that time was Werkzeug's, because it builds two functions for each URL
rule from syntax trees. The result depends only on the text of the rule.
"""

from collections.abc import Callable
from types import MethodType
from typing import Any

import pytest
from werkzeug.routing import Rule


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
