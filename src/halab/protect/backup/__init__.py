"""Backups: copies of collections that survive what a cluster does to its own data.

writer.py      collections of a serving cluster into a folder; restorer.py: a folder into a cluster
partition_reader.py  every row of a partition, counted; partial_folder.py: a folder that is whole or not there
manifest.py    what a backup folder says of itself, and `verify`, which needs no cluster
fields.py      which field types a backup holds, as Arrow types; connection.py: how a cluster is reached
pruning.py     which backups of a folder stay, and which are deleted
mistake.py     an experiment: a wrong command, and the restore from the backup

This is the course's own small tool: it reads rows through the proxy, as any client does. For production there
is Milvus' milvus-backup, which copies the segment files and does not pass every row through a client.
"""

from halab.protect.backup.manifest import Manifest, verify
from halab.protect.backup.restorer import Restored, restore
from halab.protect.backup.writer import backup

__all__ = ["Manifest", "Restored", "backup", "restore", "verify"]
