"""Send HTTPS requests to URLs that administrators choose, without reaching internal networks.

``urls`` checks the form of a URL, ``resolving`` finds the addresses of its host, ``addresses`` refuses those that are
not public, ``connections`` connects to a checked address within a deadline, and ``posting`` sends the requests.
"""
