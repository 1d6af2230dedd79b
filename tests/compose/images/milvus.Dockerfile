# As the official image: /milvus with bin, lib and configs, tini in front, curl for the health check.
FROM localhost/halab-base
COPY . /milvus/
ENV PATH=/milvus/bin:$PATH LD_LIBRARY_PATH=/milvus/lib
WORKDIR /milvus
ENTRYPOINT ["tini", "--"]
