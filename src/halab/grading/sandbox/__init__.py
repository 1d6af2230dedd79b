"""Where a learner's code runs while it is graded: shut in, and never in the grader's own process."""
