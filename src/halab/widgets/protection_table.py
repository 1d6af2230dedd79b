"""Disasters against protections: tick what you have, and see what is survived, how fast, and at which loss.

    ProtectionTable()
    table.answers                     # of the table as it stands, after ticks and drags

The browser picks the best by itself (`protection_table.js` beside this file), from the cells of
`halab.models.protection`; a test holds both equal. Where no front end runs, a table stands in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import traitlets

from halab.models.protection import CELLS, DISASTERS, PROTECTIONS, Answer, Times, best, recovery
from halab.models.recovery import HOUR, Periodic
from halab.tables import text_table
from halab.translation import gettext, language
from halab.widgets.base import CourseWidget, front_end
from halab.widgets.recovery_planner import duration

__all__ = ["ProtectionTable"]

_WHY_ZH = {
    "It brings rows back, not machines: others than the lost ones must be there.": (
        "它能找回数据，变不出机器：得另有机器顶上。"
    ),
    "The command is an entry in the log, and every copy carries it out.": (
        "命令就在日志里，每个副本都会照做。"
    ),
    "CDC forwards the log, and the command is in it.": "CDC 转发的就是日志，命令也在其中。",
    "It holds the rows as they were, and no command of the cluster changes it.": (
        "它存着当时的数据，集群里的命令改不动它。"
    ),
    "Whoever holds the cluster's keys may reach it: only if it cannot be written to with them.": (
        "拿到集群密钥的人可能也碰得到它：前提是凭这些密钥改不了备份。"
    ),
    "Another copy answers, and the log kept what was written.": "别的副本接着应答，写入的数据还在日志里。",
    "One copy of three is left: only if etcd keeps its majority.": "三个副本还剩一个：前提是 etcd 有多数派。",
    "Only if copies, etcd members and the log stand in several racks.": (
        "前提是副本、etcd 成员和日志分布在不同机架。"
    ),
    "All copies run the same release, and hold what it wrote.": (
        "所有副本跑的是同一个版本，存的也是它写的数据。"
    ),
    "All copies are read from the same storage.": "所有副本都读自同一份存储。",
    "All copies stood there.": "所有副本都在那里。",
    "The other site has nodes of its own.": "异地有自己的节点。",
    "The other site has racks of its own.": "异地有自己的机架。",
    "Only if it still runs the old one, and the new one wrote nothing wrong.": (
        "前提是它还没升级，新版本也没写坏数据。"
    ),
    "Only if it has other keys, and nothing was destroyed through Milvus itself.": (
        "前提是它另有密钥，而且破坏不是通过 Milvus 自己进行的。"
    ),
    "It stands elsewhere, and is promoted.": "它在别处，提升为主即可。",
    "With Milvus 3.0 and Storage V3: it becomes a new collection in the cluster.": (
        "前提是 Milvus 3.0，并打开了 Storage V3：能在集群里恢复成新集合。"
    ),
    "Only if it outlives its collection: test that on your version first.": (
        "前提是集合删了快照还在：先在自己的版本上试过。"
    ),
    "Only if the release left metadata and storage intact.": "前提是新版本没弄坏元数据和存储。",
    "It lies on the storage that is encrypted.": "它就在被加密的那份存储上。",
    "It lies on the storage that is lost.": "它就在丢掉的那份存储上。",
    "Only if it does not lie in that rack.": "前提是备份不在那个机架上。",
    "It is restored into a cluster of the old release.": "恢复到旧版本的集群里即可。",
    "It lies at the site that is lost.": "它就在出事的机房里。",
    "It lies elsewhere, under keys that the cluster does not have.": "它在别处，集群没有它的密钥。",
    "It lies elsewhere: a new cluster is made and filled from it.": "它在别处：新建一个集群，用它灌回数据。",
}


class ProtectionTable(CourseWidget):
    """Eight disasters, five protections. `have` follows the ticks; `interval` is hours between two backups.

    Raises ValueError for a protection there is not.
    """

    _esm, _css = front_end("protection_table")

    have = traitlets.List().tag(sync=True)
    interval = traitlets.Int(24, min=1, max=48).tag(sync=True)
    cells = traitlets.List().tag(sync=True)
    times = traitlets.Dict().tag(sync=True)
    disasters = traitlets.List(list(DISASTERS)).tag(sync=True)
    protections = traitlets.List(list(PROTECTIONS)).tag(sync=True)

    def __init__(self, have: Iterable[str] = ("replicas",)) -> None:
        have = list(have)
        best(have)  # a name there is not is refused here, not in the browser
        super().__init__(
            have=have,
            cells=[{**asdict(cell), "why_zh": _WHY_ZH[cell.why]} for cell in CELLS],
            times={name: list(recovery(name, Times())) for name in PROTECTIONS},
            lang=language(),
        )

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The best against each disaster as the table stands now."""
        backups = Periodic(self.interval * HOUR, Times().backups.takes)
        return best(self.have, Times(backups=backups))

    def text(self) -> str:
        """The best answer to each disaster, with its worst times."""
        rows = [
            (answer.disaster, gettext("nothing helps"), "-", "-")
            if not answer.protection
            else (
                answer.disaster,
                answer.protection + (gettext(" (on a condition)") if answer.helps == "if" else ""),
                duration(answer.rto),
                duration(answer.rpo),
            )
            for answer in self.answers
        ]
        heading = gettext("You have: {value}; a backup every {interval} h").format(
            value=", ".join(self.have) or gettext("nothing"), interval=self.interval
        )
        return text_table(
            heading,
            ("disaster", gettext("what helps"), gettext("RTO up to"), gettext("RPO up to")),
            rows,
            [gettext("All times are assumptions.")],
            align="left",
        )
