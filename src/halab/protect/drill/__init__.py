"""The drill: a runbook of steps, its rehearsal on two clusters, and its report."""
