"""The SCIM resources below `/api/scim/v2`, the Tenant URL.

`blueprint`, `group_blueprint` and `discovery` read a request, call one use case and return a response. The use cases
are in `users`, `groups`, `lists`, `group_lists`, `root_lists` and `bulk`. They receive a `request.ScimRequest`, which
also collects the facts for the provisioning log.
"""
