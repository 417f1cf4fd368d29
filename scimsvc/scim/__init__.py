"""The SCIM resources below `/api/scim/v2`, the Tenant URL.

`blueprint` and `discovery` read a request, call one use case and answer. The use cases are in `users`, `lists` and
`bulk`. A `request.ScimRequest` travels with them and collects what the provisioning log records.
"""
