"""What each lesson notebook calls, one module a card.

A notebook brings them with one line: `from halab.lessons import failover_timeline as lesson`.
"""
