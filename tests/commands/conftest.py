from support.fake_milvus import milvus  # noqa: F401 - fixtures
from support.small_class import class_folder  # noqa: F401 - fixtures
from support.whole_course import learner_of, real_path, whole_course  # noqa: F401
