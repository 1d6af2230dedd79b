"""The ten cards and two lessons beyond: their names, lessons and exercises, and what the certificate asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from halab.course.paths import course_root
from halab.errors import CourseError
from halab.translation import Language, LazyText, gettext, gettext_lazy, pgettext_lazy

__all__ = [
    "BEYOND",
    "CATALOGUE",
    "CERTIFIED",
    "CHECKLIST",
    "Entry",
    "Item",
    "entry",
    "exercises",
]


@dataclass(frozen=True, slots=True)
class Item:
    """One of the ten things the certificate says a learner can do, and the cards, or the lesson beyond them,
    whose exercises and labs it rests on."""

    words: LazyText
    cards: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One card of the course with all that belongs to it, or a lesson beyond the cards."""

    number: int
    slug: str
    title: LazyText
    summary: LazyText

    @property
    def checklist(self) -> Item:
        """The item of the certificate that rests on this card or lesson."""
        return next(item for item in CHECKLIST if self.number in item.cards)

    @property
    def called(self) -> LazyText:
        """What it is called in a sentence."""
        if self in CATALOGUE:
            return pgettext_lazy("in a sentence", "card {number}", number=self.number)
        return pgettext_lazy("in a sentence", "lesson {number}", number=self.number)

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
        gettext_lazy("The essence of high availability"),
        gettext_lazy("A spare, and a switch to it that nobody has to throw."),
    ),
    Entry(
        2,
        "02-availability-maths",
        gettext_lazy("The maths of availability"),
        gettext_lazy("Availability is the share of time in which the service works."),
    ),
    Entry(
        3,
        "03-architecture",
        gettext_lazy("The architecture of Milvus"),
        gettext_lazy("Milvus is made of parts that scale, and fail, one by one."),
    ),
    Entry(
        4,
        "04-writing",
        gettext_lazy("Writing to replicas"),
        gettext_lazy("Copies are written side by side, not one after the other."),
    ),
    Entry(
        5,
        "05-reading",
        gettext_lazy("Reading from replicas"),
        gettext_lazy("Several copies share the queries between them."),
    ),
    Entry(
        6,
        "06-failover-timeline",
        gettext_lazy("The failover timeline"),
        gettext_lazy("A failover takes 5 to 15 seconds. It is never instant."),
    ),
    Entry(
        7,
        "07-rto-rpo",
        gettext_lazy("RTO and RPO"),
        gettext_lazy("One counts the time until service is back, the other the data that is gone."),
    ),
    Entry(
        8,
        "08-safety",
        gettext_lazy("Availability is not safety"),
        gettext_lazy("Replicas keep the service up. Backups keep the data."),
    ),
    Entry(
        9,
        "09-health-checks",
        gettext_lazy("Health checks"),
        gettext_lazy("What no check sees, nobody repairs."),
    ),
    Entry(
        10,
        "10-drill",
        gettext_lazy("The recovery drill"),
        gettext_lazy("A recovery plan that was never rehearsed cannot be relied on."),
    ),
)

# Two lessons beyond the cards. They have no card, and the first no item of the certificate.
BEYOND = (
    Entry(
        11,
        "11-operate-it",
        gettext_lazy("Operate it"),
        gettext_lazy("Deploy, test, watch, tune, rehearse: five pieces of advice, each done once."),
    ),
    Entry(
        12,
        "12-rag-service",
        gettext_lazy("A RAG service that stays available"),
        gettext_lazy("What each protection of a service is worth, and what it costs."),
    ),
)

CHECKLIST = (
    Item(gettext_lazy("Say what makes a service highly available"), (1,)),
    Item(gettext_lazy("Compute the availability of a system"), (2,)),
    Item(gettext_lazy("Explain the parts of Milvus"), (3,)),
    Item(gettext_lazy("Know what replicas do to performance"), (4, 5)),
    Item(gettext_lazy("Tell the timeline of a failover"), (6,)),
    Item(gettext_lazy("Tell RTO from RPO"), (7,)),
    Item(gettext_lazy("Tell availability from safety"), (8,)),
    Item(gettext_lazy("Set health checks"), (9,)),
    Item(gettext_lazy("Run a recovery drill"), (10,)),
    Item(gettext_lazy("Keep a RAG system on Milvus available"), (12,)),
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
        gettext("The course has cards 1 to {cards} and lessons 1 to {lessons}; there is no {number}.").format(
            cards=len(CATALOGUE), lessons=len(CATALOGUE) + len(BEYOND), number=number
        ),
        hint=gettext("halab.course.catalogue.CATALOGUE lists them."),
    )
