"""The open-loop prober, what it sends, and the workload it probes with."""
