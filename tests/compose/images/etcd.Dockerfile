FROM localhost/halab-base
COPY . /usr/local/bin/
CMD ["etcd"]
