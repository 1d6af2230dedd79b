"""Measuring: probes, journals, outages, RTO, RPO, and pictures drawn from a journal alone.

journal/      one measurement as one hash-chained JSONL file; outages, RTO, RPO, tables and pictures of it
probing/      the open-loop prober, the operations it sends, and the retriever, which is the workload
experiments/  break something and measure: faults, disasters, loads, health probes, a balancer
"""

from halab.measure.experiments.fault_experiment import experiment, journal_name, parse_fault, probe_and_save
from halab.measure.experiments.throughput import speeds, throughput
from halab.measure.journal.journal_file import FaultRecord, Header, Journal, Phase, RowCount, Scheduling
from halab.measure.journal.outage import Outage, outages, rpo, rto
from halab.measure.journal.plots import Claim, compare, describe, describe_comparison, measured, plot
from halab.measure.journal.summaries import RepeatSummary, Spread, Summary, repeat_summary, summary
from halab.measure.probing.embedding import Passage
from halab.measure.probing.operations import Operation, Renamed
from halab.measure.probing.prober import Run, probe
from halab.measure.probing.retriever import Retriever
from halab.measure.probing.retrying import with_retries

__all__ = [
    "Claim",
    "FaultRecord",
    "Header",
    "Journal",
    "Operation",
    "Outage",
    "Passage",
    "Phase",
    "Renamed",
    "RepeatSummary",
    "Retriever",
    "RowCount",
    "Run",
    "Scheduling",
    "Spread",
    "Summary",
    "compare",
    "describe",
    "describe_comparison",
    "experiment",
    "journal_name",
    "measured",
    "outages",
    "parse_fault",
    "plot",
    "probe",
    "probe_and_save",
    "repeat_summary",
    "rpo",
    "rto",
    "speeds",
    "summary",
    "throughput",
    "with_retries",
]
