"""Alerts: conditions that people should know of before something stops (contract section 9).

``checking`` looks for the conditions once a minute, ``raising`` compares them with the stored alerts, and ``words``
says them to people. An event of an alert is a row for webhooks, an e-mail to each subscriber, and a warning in the log.
"""
