"""What is done once must come out as if nbgrader did it again."""

import shutil

import jsonschema
import pytest
from nbgrader import api
from nbgrader.nbgraderformat import MetadataValidator, common

from halab.grading.nbgrader_patches import apply_patches


@pytest.fixture
def once(monkeypatch):
    """`apply_patches`, for one test."""
    monkeypatch.setattr(api, "get_alembic_version", lambda: "any")  # else it runs a command for it
    monkeypatch.setattr(api, "create_engine", api.create_engine)
    monkeypatch.setattr(common, "jsonschema", jsonschema)
    apply_patches()


def test_a_gradebook_put_in_the_place_of_another_is_the_one_that_is_read(once, tmp_path):
    here, kept = tmp_path / "gradebook.db", tmp_path / "kept.db"
    url = f"sqlite:///{here}"
    with api.Gradebook(url, "halab") as gradebook:
        gradebook.add_student("first")
    shutil.copy(here, kept)
    with api.Gradebook(url, "halab") as gradebook:
        gradebook.add_student("second")
    shutil.copy(kept, here)
    with api.Gradebook(url, "halab") as gradebook:
        assert [one.id for one in gradebook.students] == ["first"]


@pytest.mark.parametrize(
    "meta", [{}, {"grade": "yes"}, {"schema_version": 3, "grade": True, "points": -1}, {"points": []}]
)
def test_what_does_not_fit_nbgraders_schema_is_refused_in_the_same_words(once, meta):
    schema = MetadataValidator().schema
    with pytest.raises(jsonschema.ValidationError) as expected:
        jsonschema.validate(meta, schema)
    with pytest.raises(jsonschema.ValidationError) as found:
        common.jsonschema.validate(meta, schema)
    assert str(found.value) == str(expected.value)


def test_what_fits_is_accepted(once):
    meta = {
        "grade": True,
        "solution": False,
        "locked": True,
        "grade_id": "x",
        "points": 2,
        "schema_version": 3,
    }
    common.jsonschema.validate(meta | {"task": False}, MetadataValidator().schema)
