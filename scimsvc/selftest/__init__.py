"""Play identity providers against a running installation, through its proxy and TLS, and report what to change.

``running`` runs the steps of a ``plan`` in a ``Session`` and makes a ``Report`` of their findings. Nothing that serves
requests imports this package.
"""
