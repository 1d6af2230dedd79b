"""Grades a submission."""
