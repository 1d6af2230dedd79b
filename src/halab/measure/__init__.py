"""Measuring: probes, journals, outages, RTO, RPO, and pictures drawn from a journal alone.

journal/      one measurement as one hash-chained JSONL file; outages, RTO, RPO, tables and pictures of it
probing/      the open-loop prober, the operations it sends, and the retriever, which is the workload
experiments/  break something and measure: faults, disasters, loads, health probes, a balancer
"""
