"""Numbers that differ from learner to learner, and are the same each time for one learner."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Protocol, TypeVar

from halab.course.identity import learner_id, seed
from halab.exercises.check_cells import speak_in_notebook

__all__ = ["draw", "learner_random", "per_learner"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class OfLearner(Protocol[T_co]):
    """An exercise by its learner's id; without one, that of the learner at work here."""

    def __call__(self, learner: str | None = None) -> T_co: ...


def learner_random(card: int, learner: str | None = None) -> Random:
    """A random generator for this learner (default: the one at work here) and this card.

    A grader makes the same generator again from the learner's id, so nothing has to be stored or trusted.
    """
    return Random(seed(learner or learner_id(), card))


def per_learner(card: int) -> Callable[[Callable[[Random], T]], OfLearner[T]]:
    """Turn a function of a random generator into one of a learner's id, with one result a learner."""

    def decorate(make: Callable[[Random], T]) -> OfLearner[T]:
        @lru_cache(maxsize=4)  # a grader meets a whole class, and a recording takes memory
        def made(learner: str) -> T:
            return make(learner_random(card, learner))

        def of_learner(learner: str | None = None) -> T:
            speak_in_notebook()  # an exercise asks for its numbers in its first cell
            return made(learner or learner_id())

        of_learner.__doc__ = make.__doc__
        return of_learner

    return decorate


def draw(make: Callable[[Random], T], seed: int, count: int = 1) -> list[T]:
    """Cases made one after another from a seed: the same for every learner."""
    rng = Random(seed)
    return [make(rng) for _ in range(count)]
