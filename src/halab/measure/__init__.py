"""Measuring: probes, journals, outages, RTO, RPO, and pictures drawn from a journal alone.

journal.py      one measurement as one hash-chained JSONL file
probe.py        the open-loop prober; operations.py what it sends, retry.py a client that retries
outage.py       outages, RTO and RPO; summary.py tables of them; plot.py pictures
retriever.py    the workload; experiment.py a whole measurement around one fault
load.py         closed and open loops, CPU and memory; throughput.py repeats by number of replicas
balanced.py     clients behind a balancer, and a proxy that dies under them
scripted.py     a fake service with known outages, to check the prober against; paced.py one of known speed
"""

from halab.measure.experiment import experiment, journal_name, parse_fault, probe_and_save
from halab.measure.journal import FaultRecord, Header, Journal, Phase, RowCount, Scheduling
from halab.measure.operations import Operation, Renamed
from halab.measure.outage import Outage, outages, rpo, rto
from halab.measure.plot import Claim, compare, describe, describe_comparison, measured, plot
from halab.measure.probe import Run, probe
from halab.measure.retriever import Passage, Retriever
from halab.measure.retry import with_retries
from halab.measure.summary import RepeatSummary, Spread, Summary, repeat_summary, summary
from halab.measure.throughput import speeds, throughput

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
