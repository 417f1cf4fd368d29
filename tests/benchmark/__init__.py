"""The benchmark: what a request costs beside a floor, at any number of users.

``python -m tests.benchmark`` runs it and ``python -m tests.benchmark.plot`` draws what it wrote. The *floor* is what any
service like this one must do: Flask on waitress, a signed token checked, one access-log line, one raw statement on a
stored document. Figures are processor time of the server's processes per request; ratios of the two, measured in turns
on the same machine, are what travels.
"""
