"""Protecting data: copies of collections that survive what a cluster does to its own data.

fields.py     which field types a backup holds, as Arrow types
manifest.py   what a backup folder says of itself, and `verify`, which needs no cluster
backup.py     collections of a serving cluster into a folder; restore.py a folder into a cluster
prune.py      which backups stay, and which go
drill.py      steps that are checked, done, verified and undone; bounded.py stops one that overruns
rehearsal.py  the course's drill on two clusters; unfinished.py what shows that one was cut off
report.py     what a drill says; calendar.py when the next ones are

This is the course's own small tool: it reads rows through the proxy, as any client does. For production there
is Milvus' milvus-backup, which copies the segment files and does not pass every row through a client.
"""

from halab.protect.backup import backup
from halab.protect.manifest import Manifest, verify
from halab.protect.restore import Restored, restore

__all__ = ["Manifest", "Restored", "backup", "restore", "verify"]
