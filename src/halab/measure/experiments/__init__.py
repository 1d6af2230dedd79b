"""Experiments: break a cluster or load it, measure meanwhile, keep a journal."""
