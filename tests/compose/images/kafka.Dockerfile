# As the official image: the jars in /opt/kafka/libs, files read from /mnt/shared/config, the data under /var/lib/kafka.
FROM localhost/halab-base
COPY libs /opt/kafka/libs
COPY run log4j.properties tools-log4j.properties server.properties /etc/kafka/docker/
RUN useradd -m appuser && mkdir -p /opt/kafka/config /var/lib/kafka/data /mnt/shared/config \
 && chown -R appuser /opt/kafka/config /var/lib/kafka /mnt/shared/config
USER appuser
VOLUME ["/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["/etc/kafka/docker/run"]
