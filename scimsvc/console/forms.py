"""Read forms, protect them against requests from other sites, and show them again with errors at their fields."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request, session
from flask_wtf.csrf import validate_csrf
from werkzeug.datastructures import MultiDict
from wtforms import ValidationError

from scimsvc.console.state import console_state
from scimsvc.errors import ServiceError

View = TypeVar("View", bound=Callable[..., Any])


class StaleForm(ServiceError):
    """The form belongs to another session, or another site sent it."""


class Form:
    """The values and errors of a submitted form. Both are empty before the form is submitted."""

    def __init__(self, typed: MultiDict[str, str] | None = None, error: ServiceError | None = None) -> None:
        self._typed = typed
        self.error = error
        self._labels: dict[str, str] = {}

    def of(self, name: str) -> "Form":
        """Return this form if its name is ``name``, else an empty form. Use it on pages with several forms."""
        return self if self._typed is not None and self._typed.get("form", "") == name else Form()

    def value(self, name: str, default: Any = "") -> Any:
        """Return the submitted value of the field, or ``default`` if the form was not submitted."""
        return (default if default is not None else "") if self._typed is None else self._typed.get(name, "")

    def label(self, name: str, label: str) -> None:  # called by templates
        """Note the label of a field, for the summary of errors."""
        self._labels[name] = label

    def checked(self, name: str, default: bool = False) -> bool:  # called by templates
        """Return whether the checkbox is selected, or ``default`` if the form was not submitted."""
        return default if self._typed is None else name in self._typed

    def errors(self, name: str) -> list[str]:
        """Return the errors of the field and of its lines."""
        messages_of = self.error.errors if self.error and self._typed is not None else {}
        of_lines = (
            (field.removeprefix(name + "."), messages) for field, messages in messages_of.items() if field != name
        )
        return [
            *messages_of.get(name, ()),
            *(f"Line {int(n) + 1}: {message}" for n, messages in of_lines if n.isdigit() for message in messages),
        ]

    def summary(self) -> list[tuple[str, str, str]]:
        """Return all errors: the field, its label if the page has shown it, and the message."""
        errors = self.error.errors.items() if self.error else ()
        fields = ((_field_of(name), message) for name, messages in errors for message in messages)
        return [(field, self._labels.get(field) or _words(field), message) for field, message in fields]


def _words(field: str) -> str:
    return field.rpartition(".")[2].replace("_", " ")


def _field_of(name: str) -> str:
    """Return the field of an error. ``name`` may be the name of one of its lines."""
    field, _, line = name.rpartition(".")
    return field if line.isdigit() else name


def refuse_stale_form() -> None:
    """Raise ``StaleForm`` if the form does not belong to this session (CSRF protection of Flask-WTF)."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        reason = "This form has expired, or cookies are blocked." if session else "Your session has ended."
        raise StaleForm(f"{reason} Nothing was saved. Submit the form again.") from None


#: The view that shows a form, by the view that receives it.
_PAGES: dict[Callable[..., Any], Callable[..., Any]] = {}


def redisplay_on_error(show: Callable[..., Any]) -> Callable[[View], View]:
    """If the view refuses a form, show the page of ``show`` again with the values and errors of the form."""

    def decorate(view: View) -> View:
        _PAGES[view] = show
        return view

    return decorate


def page_again(error: ServiceError) -> Any:
    """Return the page of the refused form, with its values and errors, or None if no form was sent."""
    view = current_app.view_functions.get(request.endpoint or "")
    show = _PAGES.get(view) if view is not None else None
    if show is None or request.method != "POST":
        return None
    console_state().form = Form(request.form, error)
    return show(**(request.view_args or {}))


def current_form() -> Form:
    """Return the refused form, or an empty form."""
    return console_state().form or Form()


def text(name: str) -> str:
    """Return the value of a field, without surrounding spaces."""
    return request.form.get(name, "").strip()


def optional_text(name: str) -> str | None:
    """Return the value of a field, or None if it is empty."""
    return text(name) or None


def number(name: str) -> int | str | None:
    """Return the whole number in a field, None if it is empty, or other text for the service to refuse."""
    typed = text(name)
    is_number = typed.isascii() and typed.removeprefix("-").isdigit() and len(typed) <= _LONGEST_NUMBER
    return int(typed) if is_number else typed or None


_LONGEST_NUMBER = 18


def flag(name: str) -> bool:
    """Return whether a checkbox is selected."""
    return name in request.form


def lines(name: str) -> list[str]:
    """Return the lines of a field, without empty lines."""
    return [line.strip() for line in request.form.get(name, "").splitlines() if line.strip()]
