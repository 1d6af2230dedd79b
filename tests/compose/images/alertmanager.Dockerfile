# As the official image: its settings in /etc/alertmanager, its data in /alertmanager, the user nobody.
FROM localhost/halab-base
RUN mkdir /alertmanager && chown nobody:nogroup /alertmanager
USER nobody
VOLUME /alertmanager
WORKDIR /alertmanager
ENTRYPOINT ["prometheus-alertmanager"]
CMD ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]
