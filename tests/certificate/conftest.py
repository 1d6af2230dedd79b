from support.whole_course import learner_of, moved, real_path, whole_course  # noqa: F401 - fixtures
