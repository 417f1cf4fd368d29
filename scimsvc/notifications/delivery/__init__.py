"""Deliver the messages of webhooks, one attempt after another, and retry those that fail.

``deliverer`` has the loop. Only its thread uses the database. Each webhook with messages has a turn (``turns``) with a
``sender``, a thread that only waits for the receiver. ``upcoming`` reads the next messages, ``places`` decides which
webhook may begin, ``schedule`` when to try again, and ``recording`` writes the result of each attempt.
"""
