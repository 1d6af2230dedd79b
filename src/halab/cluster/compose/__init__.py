"""Engine "compose": the same roles in containers, by the course's docker-compose.yml.

docker.py       Docker's command line: found, checked, called
containers.py   what `docker inspect` says of a cluster's containers, and what it means
happenings.py   what Docker tells of while it happens, and who did it
engine.py       `ComposeCluster`: what a notebook or the command line holds
guard.py        takes a cluster down when its owner has ended, however that ended
"""
