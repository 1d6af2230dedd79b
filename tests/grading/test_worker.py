import os

from halab.grading.worker import MAX_GRADEBOOKS, keep_newest


def test_only_the_newest_gradebooks_stay_in_the_cache(tmp_path):
    for age in range(MAX_GRADEBOOKS + 3):
        (tmp_path / f"{age:02d}.db").touch()
        os.utime(tmp_path / f"{age:02d}.db", (1000 - age, 1000 - age))
    keep_newest(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{age:02d}.db" for age in range(MAX_GRADEBOOKS)
    ]
