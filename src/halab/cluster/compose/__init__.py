"""Engine "compose": the same roles in containers, by the course's docker-compose.yml.

docker.py       Docker's command line: found, checked, called
projects.py     the clusters of the course as Compose projects: there or not, and their end
containers.py   what `docker inspect` says of a cluster's containers, and what it means
looking.py      one look at a cluster: Docker's state, etcd's sessions, Milvus' own health
happenings.py   what Docker tells of while it happens, and who did it
breaking.py     faults and their undoing
engine.py       `ComposeCluster`: what a notebook or the command line holds
starting.py     starts one and waits until it is ready
guard.py        takes a cluster down when its owner has ended, however that ended
"""
