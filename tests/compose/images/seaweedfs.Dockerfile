FROM localhost/halab-base
COPY . /usr/bin/
VOLUME /data
ENTRYPOINT ["weed"]
