"""Forms: read for the services, guarded against other sites, and shown again with what is wrong at its field."""

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
    """The form was made for another session, or by another site."""


class Form:
    """What was typed into a form and what is wrong with it; as good as nothing before it was sent."""

    def __init__(self, typed: MultiDict[str, str] | None = None, error: ServiceError | None = None) -> None:
        self._typed = typed
        self.error = error

    def of(self, name: str) -> "Form":
        """Return this form if it is the one called ``name`` that was sent, of several on a page; else an empty one."""
        return self if self._typed is not None and self._typed.get("form", "") == name else Form()

    def value(self, name: str, default: Any = "") -> Any:
        """Return what was typed into the field, else ``default``."""
        return (default if default is not None else "") if self._typed is None else self._typed.get(name, "")

    def checked(self, name: str, default: bool = False) -> bool:  # called by templates
        """Tell whether the box was ticked."""
        return default if self._typed is None else name in self._typed

    def errors(self, name: str) -> list[str]:
        """Return what is wrong with the field, and with which of its lines."""
        messages_of = self.error.errors if self.error and self._typed is not None else {}
        of_lines = (
            (field.removeprefix(name + "."), messages) for field, messages in messages_of.items() if field != name
        )
        return [
            *messages_of.get(name, ()),
            *(f"Line {int(n) + 1}: {message}" for n, messages in of_lines if n.isdigit() for message in messages),
        ]

    def summary(self) -> list[tuple[str, str, str]]:
        """Return everything that is wrong: the field, what it is called, and the message."""
        errors = self.error.errors.items() if self.error else ()
        fields = ((_field_of(name), message) for name, messages in errors for message in messages)
        return [(field, field.rpartition(".")[2].replace("_", " "), message) for field, message in fields]


def _field_of(name: str) -> str:
    """Return the field that a message's name belongs to, which may be that of one of its lines."""
    field, _, line = name.rpartition(".")
    return field if line.isdigit() else name


def refuse_stale_form() -> None:
    """Raise ``StaleForm`` where a form was sent that is not of this session (Flask-WTF's CSRF protection)."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        reason = "This form has expired, or cookies are blocked." if session else "Your session has ended."
        raise StaleForm(f"{reason} Nothing was saved. Submit the form again.") from None


#: The views whose pages have the forms that other views receive, by the receiving view.
_PAGES: dict[Callable[..., Any], Callable[..., Any]] = {}


def redisplay_on_error(show: Callable[..., Any]) -> Callable[[View], View]:
    """Let a refusal of the view show the page of ``show`` again, with what was typed and the message at its field."""

    def decorate(view: View) -> View:
        _PAGES[view] = show
        return view

    return decorate


def page_again(error: ServiceError) -> Any:
    """Return the page whose form was refused, with the form as it was sent; None where there is none."""
    view = current_app.view_functions.get(request.endpoint or "")
    show = _PAGES.get(view) if view is not None else None
    if show is None or request.method != "POST":
        return None
    console_state().form = Form(request.form, error)
    return show(**(request.view_args or {}))


def current_form() -> Form:
    """Return the form that was refused, or an empty one."""
    return console_state().form or Form()


def text(name: str) -> str:
    """Return what was typed into a field, without blanks around it."""
    return request.form.get(name, "").strip()


def optional_text(name: str) -> str | None:
    """Return the same; None where nothing was typed."""
    return text(name) or None


def number(name: str) -> int | str | None:
    """Return the whole number in a field, None where it is empty, and for the service to refuse whatever else it is."""
    typed = text(name)
    is_number = typed.isascii() and typed.removeprefix("-").isdigit() and len(typed) <= _LONGEST_NUMBER
    return int(typed) if is_number else typed or None


_LONGEST_NUMBER = 18


def flag(name: str) -> bool:
    """Tell whether a box was ticked."""
    return name in request.form


def lines(name: str) -> list[str]:
    """Return the lines of a field that are not blank."""
    return [line.strip() for line in request.form.get(name, "").splitlines() if line.strip()]
