import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest

from halab.course.identity import learner_id, seed, valid_learner
from halab.errors import CourseError
from halab.exercises.learner_numbers import learner_random


def test_an_id_is_made_once_and_kept(course):
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: learner_id(), range(16)))
    assert len(ids) == 1
    assert ids == {learner_id()}


def test_a_class_gives_its_own_ids(course, monkeypatch):
    monkeypatch.setenv("HALAB_LEARNER", "ada@example.org")
    assert learner_id() == "ada@example.org"


@pytest.mark.parametrize(
    "name", ["王伟", "阿依古丽·买买提", "Anna Maria", "o'neil", "O’Neil", "Łukasz", "अनन्या", "José"]
)
def test_an_id_is_in_any_script_and_one_spelling_of_it_counts(name):
    assert valid_learner(name) == name
    assert valid_learner(unicodedata.normalize("NFD", name)) == name


@pytest.mark.parametrize(
    "name",
    [
        "../ada", "a/b", "a\\b", " ada", ".hidden", "-rf", "a*", "a+b", "ada\n", "a\u202eb", "ada.",
        "x" * 65, "\U0001f600", "!ghost", "~root", "$(touch x)", "a;b",
        "a`b`", "=1+1", "a&b", "a%2f", "a,b", "a#b",
    ],
)  # fmt: skip
def test_an_id_that_could_leave_its_folder_is_refused(course, monkeypatch, name):
    monkeypatch.setenv("HALAB_LEARNER", name)
    with pytest.raises(CourseError, match="HALAB_LEARNER"):
        learner_id()


def test_a_damaged_id_is_set_aside_with_a_message(course):
    learner_id()
    kept = course / "work" / ".halab" / "learner.json"
    kept.unlink()
    os.mkfifo(kept)
    with pytest.warns(UserWarning, match="new learner id"):
        learner_id()
    kept.write_text("{")
    with pytest.warns(UserWarning, match="new learner id"):
        renewed = learner_id()
    assert learner_id() == renewed
    assert len(list(kept.parent.glob("learner.json.damaged-*"))) == 2


def test_a_seed_depends_on_learner_and_card_and_stays_the_same():
    assert seed("ada", 6) == 6946702753712033242  # a change here changes every learner's numbers
    assert len({seed(learner, card) for learner in ("ada", "bo", "ada/0") for card in (1, 6, 10)}) == 9


def test_numbers_are_made_again_from_the_learner_s_id():
    assert learner_random(6, "ada").random() == learner_random(6, "ada").random()
    assert learner_random(6, "ada").random() != learner_random(6, "bo").random()
