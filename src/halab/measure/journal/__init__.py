"""The record of one measurement, and what is computed from it: outages, RTO, RPO, tables, pictures."""
