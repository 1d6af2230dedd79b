"""The drill: a runbook, the course's rehearsal of it on two clusters, and its report.

runbook.py         steps as data, the state on disk, and `Drill`, which runs and undoes them
step_timeout.py    a deadline for work that hangs
drill_steps.py     the eight steps of the course's drill
rehearsal.py       the drill from end to end while users ask and write, and its roll-back
drill_report.py    what came of it, for people and machines; drill_calendar.py: when the next ones are due
unfinished.py      a drill that was cut off: how it is noticed, and where it stands
"""
