"""halab: the library of the course on keeping Milvus available."""
