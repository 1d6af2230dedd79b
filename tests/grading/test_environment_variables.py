import os

from halab.grading.environment_variables import temporary_environment


def test_variables_are_set_for_a_while_and_put_back(monkeypatch):
    monkeypatch.setenv("HALAB_TEST_THERE", "before")
    monkeypatch.delenv("HALAB_TEST_ABSENT", raising=False)
    with temporary_environment(HALAB_TEST_THERE="now", HALAB_TEST_ABSENT="now"):
        assert os.environ["HALAB_TEST_THERE"] == os.environ["HALAB_TEST_ABSENT"] == "now"
    assert os.environ["HALAB_TEST_THERE"] == "before"
    assert "HALAB_TEST_ABSENT" not in os.environ
