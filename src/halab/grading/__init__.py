"""Grades a submission: nbgrader gives the points, and a learner's code runs in a sandbox only.

    process 1  grader            for `halab grade`, a notebook's panel, halab.classroom and halab.certificate
       |   one JSON object a line, on stdin and stdout (messages)
    process 2  worker            one a thread of process 1; serves one submission after the other:
               preparation       puts back the cells that are the course's
               nbgrader_run      calls nbgrader's autograde; nbgrader_config.py at the course's root names the
                                 class that takes the place of nbgrader's Execute:
               nbgrader_plugins  GradeInSandbox, cell by cell:
                                   an answer goes to process 4 (sandbox.box.Box.run)
                                   a check is run here, from solutions/, by judge; it calls into process 4
       |   one JSON object a message, on a socket (sandbox.wire: HostRequest, HostReply)
    process 3  sandbox.host      one a worker, inside bubblewrap or plain process limits (sandbox.isolation)
                                 and, where systemd makes one, a scope (sandbox.scope)
       |   fork
    process 4  sandbox.learner_process   one a submission, confined again (sandbox.confine), with a halab that
                                 holds no answers (sandbox.learner_view); on a socket of
                                 its own to process 2: pickles go in, JSON comes out (sandbox.wire)

Then back: what failed stands in the notebook as an error (verdicts); nbgrader writes the points into its
gradebook; worker joins points and errors; grader makes them a GradeReport. The texts of the hints are in
solutions/NN-slug/hints.yml (hints).
"""
