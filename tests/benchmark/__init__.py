"""The benchmark: the cost of a request compared with a floor, at any number of users.

``python -m tests.benchmark`` runs it and ``python -m tests.benchmark.plot`` draws its results. The *floor* is the work
of any such service: Flask on waitress, checking a signed token, one access-log line, and one raw statement on a stored
document. Figures are processor time of the server's processes per request. Compare machines only by the ratios of the
two, which are measured in turns on the same machine.
"""
