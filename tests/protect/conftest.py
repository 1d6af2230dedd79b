from support.fake_milvus import milvus  # noqa: F401 - a fixture
