"""The blueprints of alerts: those of an enterprise, and the e-mail alerts of the account that is signed in."""

from typing import Any

from flask import request, url_for

from scimsvc.console.pages import Answer, admin, console_blueprint, enterprise_blueprint, enterprise_id, go, page
from scimsvc.enterprises.admins import Admin
from scimsvc.notifications.alerts import reading, subscriptions
from scimsvc.vocabulary import AlertTopic
from scimsvc.web.mail import mailer

alerts = enterprise_blueprint("alerts")
own_alerts = console_blueprint("own_alerts")

#: The topics in words, with hints.
_TOPICS = {
    AlertTopic.TOKEN_SOON: ("SCIM tokens that expire soon", "30, 14 and 7 days before the end."),
    AlertTopic.TOKEN_URGENT: ("SCIM tokens that expire within 3 days", "3 days and 1 day before the end, then daily."),
    AlertTopic.REMOVAL_LIMIT: ("Removal limit reached", "Daily while it lasts."),
    AlertTopic.REFUSALS: ("Many refused requests", "From the number in the settings of the enterprise."),
    AlertTopic.SILENT: ("Silent identity provider", "No requests for longer than usual. Daily while it lasts."),
    AlertTopic.WEBHOOK_DISABLED: ("Webhook disabled", "Its receiver is gone, or all retries failed."),
    AlertTopic.INTEGRITY: ("Faults of the database", "Found by scimsvc check. Daily while they last."),
}


@alerts.get("/alerts")
def list_() -> Answer:
    """List the open alerts, and those that closed within a month."""
    shown = reading.show_alerts(enterprise_id())
    return page("alerts.html", open_alerts=shown["open"], closed_alerts=shown["closed"])


@alerts.app_template_global("alert_url")
def alert_url(alert: dict[str, Any]) -> str:
    """Return the URL of the page that helps with an alert of the page's enterprise."""
    return url_for("console_overview.show") + str(alert["page"])


@alerts.app_template_global("count_alerts")
def count_alerts() -> int:
    """Return the number of open alerts of the page's enterprise."""
    return reading.count_alerts(enterprise_id())


@alerts.app_template_global("installation_alerts")
def installation_alerts() -> list[dict[str, Any]]:
    """Return the open alerts of the installation, for accounts that see all enterprises."""
    return reading.open_alerts() if admin().sees_all else []


@own_alerts.post("/account/alerts")
def choose() -> Answer:
    """Choose the alerts that the account gets by e-mail."""
    subscriptions.subscribe(admin(), request.form)
    return go("console_own_account.show", "E-mail alerts saved.", _anchor="alerts")


@own_alerts.app_template_global("alert_choices")
def alert_choices(account: Admin) -> list[dict[str, Any]]:
    """Return the topics that the account can choose, and whether it has."""
    chosen = subscriptions.find_subscription(account)
    return [
        {"name": str(topic), "label": _TOPICS[topic][0], "hint": _TOPICS[topic][1], "is_chosen": topic in chosen}
        for topic in subscriptions.offered_topics(sees_all=account.sees_all)
    ]


@own_alerts.app_template_global("sends_mail")
def sends_mail() -> bool:
    """Return whether the service can send e-mail."""
    return mailer.current.is_configured
