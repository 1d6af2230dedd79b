"""Watching a cluster as one watches production: Prometheus with the production's own rules, and what they
paged.

canary.py      asks questions whose answers are known, and tells Prometheus what was found
inbox.py       what Alertmanager sent: paged when, resolved when
servers.py     Prometheus and Alertmanager: where they are, their settings, whom they scrape
monitor.py     all of it beside a cluster, for as long as a block runs
"""
