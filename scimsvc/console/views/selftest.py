"""The blueprint of the self-test, for operators. Auditors of all enterprises can read its reports."""

from flask import Flask, Response, current_app, url_for

from scimsvc.console.forms import redisplay_on_error, text
from scimsvc.console.pages import Answer, admin, console_blueprint, go, page
from scimsvc.enterprises.admins import refuse_unless_all_enterprises, refuse_unless_operator
from scimsvc.errors import NoSuchThing
from scimsvc.selftest.plan import CHOICES
from scimsvc.selftest.report import WRITERS
from scimsvc.selftest.runs import get_run, list_runs, start_run
from scimsvc.vocabulary import PROVIDER_NAMES
from scimsvc.web.state import app_settings

selftest = console_blueprint("selftest")

_MEDIA_TYPES = {".txt": "text/plain; charset=utf-8", ".json": "application/json", ".xml": "application/xml"}
#: Seconds between two looks at a run that works.
_REFRESH = 3


@selftest.get("/self-test")
def show() -> Answer:
    """Show the form, and the runs with their results."""
    refuse_unless_all_enterprises(admin())
    providers = [(value, PROVIDER_NAMES.get(value, "All providers")) for value in CHOICES]
    return page("selftest.html", public_url=app_settings().public_url, providers=providers, runs=list_runs())


@selftest.post("/self-test")
@redisplay_on_error(show)
def start() -> Answer:
    """Start a run, and show its progress."""
    refuse_unless_operator(admin())
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # Flask's documented way
    run = start_run(app, app_settings().public_url, text("provider"))
    return go(".show_run", "Self-test started.", run=run)


@selftest.get("/self-test/<run>")
def show_run(run: str) -> Answer:
    """Show the progress of a run, or its report. The page of a run that works loads itself again."""
    refuse_unless_all_enterprises(admin())
    found = get_run(run)
    answer = current_app.make_response(page("selftest_run.html", run=found, providers=PROVIDER_NAMES))
    if found["is_running"]:
        answer.headers["Refresh"] = f"{_REFRESH}; url={url_for('.show_run', run=run)}"
    return answer


@selftest.get("/self-test/<run>/report<suffix>")
def download(run: str, suffix: str) -> Answer:
    """Return the report as a file: text, JSON or JUnit XML."""
    refuse_unless_all_enterprises(admin())
    report = get_run(run)["report"]
    if report is None or suffix not in WRITERS:
        raise NoSuchThing("This self-test has no such report.", what="report")
    answer = Response(WRITERS[suffix](report), content_type=_MEDIA_TYPES[suffix])
    answer.headers["Content-Disposition"] = f'attachment; filename="selftest-{run}{suffix}"'
    return answer
