"""The ten cards and two lessons beyond: their names, lessons and exercises, and what the certificate asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from halab.course.paths import course_root
from halab.errors import CourseError
from halab.translation import Language

__all__ = [
    "BEYOND",
    "CATALOGUE",
    "CERTIFIED",
    "CHECKLIST",
    "Bilingual",
    "Entry",
    "Item",
    "entry",
    "exercises",
]


@dataclass(frozen=True, slots=True)
class Bilingual:
    """The same text in the course's two languages."""

    en: str
    zh: str

    def in_(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Item:
    """One of the ten things the certificate says a learner can do, and the cards, or the lesson beyond them,
    whose exercises and labs it rests on."""

    words: Bilingual
    cards: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One card of the course with all that belongs to it, or a lesson beyond the cards."""

    number: int
    slug: str
    title: Bilingual
    summary: Bilingual

    @property
    def checklist(self) -> Item:
        """The item of the certificate that rests on this card or lesson."""
        return next(item for item in CHECKLIST if self.number in item.cards)

    def called(self, language: Language) -> str:
        """What it is called in a sentence."""
        if self in CATALOGUE:
            return f"第 {self.number} 张卡片" if language == "zh" else f"card {self.number}"
        return f"第 {self.number} 课" if language == "zh" else f"lesson {self.number}"

    def card_path(self, language: Language) -> Path:
        return course_root() / "cards" / language / f"{self.slug}.md"

    @property
    def lesson_path(self) -> Path:
        return course_root() / "course" / f"{self.slug}.ipynb"

    @property
    def exercise(self) -> str:
        """The exercise's notebook, from the course's folder: nbgrader keeps it in a folder of its name."""
        return f"exercises/{self.slug}/{self.slug}.ipynb"

    @property
    def exercise_path(self) -> Path:
        return course_root() / self.exercise


CATALOGUE = (
    Entry(
        1,
        "01-essence",
        Bilingual("The essence of high availability", "高可用的本质"),
        Bilingual(
            "A spare, and a switch to it that nobody has to throw.",
            "要有备用的，还要能自动切过去。",
        ),
    ),
    Entry(
        2,
        "02-availability-maths",
        Bilingual("The maths of availability", "可用性的数学"),
        Bilingual(
            "Availability is the share of time in which the service works.",
            "可用性，就是服务正常的时间占总时间的比例。",
        ),
    ),
    Entry(
        3,
        "03-architecture",
        Bilingual("The architecture of Milvus", "Milvus 的分布式架构"),
        Bilingual(
            "Milvus is made of parts that scale, and fail, one by one.",
            "Milvus 由多种组件拼成，各自扩容，也各自出故障。",
        ),
    ),
    Entry(
        4,
        "04-writing",
        Bilingual("Writing to replicas", "多副本的写入性能"),
        Bilingual(
            "Copies are written side by side, not one after the other.",
            "多个副本是同时写的，不是排着队写的。",
        ),
    ),
    Entry(
        5,
        "05-reading",
        Bilingual("Reading from replicas", "多副本的读取性能"),
        Bilingual(
            "Several copies share the queries between them.",
            "多个副本分担查询，读得更快。",
        ),
    ),
    Entry(
        6,
        "06-failover-timeline",
        Bilingual("The failover timeline", "故障转移的时间线"),
        Bilingual(
            "A failover takes 5 to 15 seconds. It is never instant.",
            "一次故障转移要花 5 到 15 秒，从来不是一眨眼的事。",
        ),
    ),
    Entry(
        7,
        "07-rto-rpo",
        Bilingual("RTO and RPO", "RTO 与 RPO"),
        Bilingual(
            "One counts the time until service is back, the other the data that is gone.",
            "RTO 看多久能恢复，RPO 看会丢多少数据。",
        ),
    ),
    Entry(
        8,
        "08-safety",
        Bilingual("Availability is not safety", "高可用不等于数据安全"),
        Bilingual(
            "Replicas keep the service up. Backups keep the data.",
            "高可用让服务不断，备份让数据不丢。",
        ),
    ),
    Entry(
        9,
        "09-health-checks",
        Bilingual("Health checks", "健康检查的配置"),
        Bilingual(
            "What no check sees, nobody repairs.",
            "查不出来的故障，就没人去修。",
        ),
    ),
    Entry(
        10,
        "10-drill",
        Bilingual("The recovery drill", "灾难恢复演练"),
        Bilingual(
            "A recovery plan that was never rehearsed cannot be relied on.",
            "没演练过的恢复方案，靠不住。",
        ),
    ),
)

# Two lessons beyond the cards. They have no card, and the first no item of the certificate.
BEYOND = (
    Entry(
        11,
        "11-operate-it",
        Bilingual("Operate it", "把集群运维起来"),
        Bilingual(
            "Deploy, test, watch, tune, rehearse: five pieces of advice, each done once.",
            "部署、测试、监控、调优、演练：五条建议，每条都动手做一遍。",
        ),
    ),
    Entry(
        12,
        "12-rag-service",
        Bilingual("A RAG service that stays available", "不中断的 RAG 服务"),
        Bilingual(
            "What each protection of a service is worth, and what it costs.",
            "给服务加的每一层保护，值多少，要付出什么。",
        ),
    ),
)

CHECKLIST = (
    Item(Bilingual("Say what makes a service highly available", "说清高可用靠的是什么、值在哪里"), (1,)),
    Item(Bilingual("Compute the availability of a system", "会算一个系统的可用性"), (2,)),
    Item(Bilingual("Explain the parts of Milvus", "讲得清 Milvus 的分布式架构"), (3,)),
    Item(Bilingual("Know what replicas do to performance", "知道多副本对读写性能有什么影响"), (4, 5)),
    Item(Bilingual("Tell the timeline of a failover", "讲得清故障转移的时间线"), (6,)),
    Item(Bilingual("Tell RTO from RPO", "分得清 RTO 和 RPO"), (7,)),
    Item(Bilingual("Tell availability from safety", "分得清高可用和数据安全"), (8,)),
    Item(Bilingual("Set health checks", "会配置健康检查"), (9,)),
    Item(Bilingual("Run a recovery drill", "会做灾难恢复演练"), (10,)),
    Item(Bilingual("Keep a RAG system on Milvus available", "会在 RAG 系统里用上高可用的 Milvus"), (12,)),
)

CERTIFIED = tuple(
    card for card in (*CATALOGUE, *BEYOND) if any(card.number in item.cards for item in CHECKLIST)
)
"""What the certificate asks for: the ten cards, and the lesson that the last item rests on."""


def exercises() -> list[Entry]:
    """Every exercise that there is: those of the ten cards, and of a lesson beyond them that has one."""
    return [*CATALOGUE, *(lesson for lesson in BEYOND if lesson.exercise_path.is_file())]


def entry(number: int) -> Entry:
    """The entry of a card, 1 to 10, or of a lesson beyond them. Raises CourseError for another number."""
    for card in (*CATALOGUE, *BEYOND):
        if card.number == number:
            return card
    raise CourseError(
        f"The course has cards 1 to {len(CATALOGUE)} and lessons 1 to {len(CATALOGUE) + len(BEYOND)}; there "
        f"is no {number}.",
        hint="halab.course.catalogue.CATALOGUE lists them.",
    )
