# As the official image: its settings in /etc/prometheus, its data in /prometheus, the user nobody.
FROM localhost/halab-base
RUN mkdir /prometheus && chown nobody:nogroup /prometheus
USER nobody
VOLUME /prometheus
WORKDIR /prometheus
ENTRYPOINT ["prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
