"""Engine "compose": the same roles in containers, by the course's docker-compose.yml.

docker.py            Docker's command line: found, checked, called
projects.py          the course's clusters as Compose projects: names, files, removal
containers.py        `docker inspect` of a cluster's containers, parsed
status_reader.py     the status now: Docker's state, etcd's sessions, Milvus' own health
docker_events.py     Docker's events, and who caused them
container_faults.py  faults, and their undoing
compose_cluster.py   `ComposeCluster`: what a notebook or the command line holds
startup.py           starts a cluster and waits until it is ready
owner_watch.py       takes a cluster down when its owner has ended, however it ended
"""
