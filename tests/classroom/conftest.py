from support.small_class import class_folder  # noqa: F401 - a fixture
