"""The server of small pages: on loopback, for who asks for this machine by name."""

import http.client
from urllib.parse import urlsplit

import pytest

from halab.loopback_server import LoopbackHandler, serve_on_loopback


class Hello(LoopbackHandler):
    def do_GET(self):
        self.answer(200, "text/plain", "你好")


def asked(address, host):
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    connection.request("GET", "/", headers={"Host": host})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_it_answers_as_text_that_runs_nothing(name):
    with serve_on_loopback(Hello, 0) as address:
        answer, text = asked(address, f"{name}:{urlsplit(address).port}")
    assert (answer.status, text) == (200, "你好")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("host", ["rebound.example:80", "127.0.0.1.example", ""])
def test_a_name_of_a_strangers_that_leads_here_is_refused(host):
    with serve_on_loopback(Hello, 0) as address:
        answer, text = asked(address, host)
    assert answer.status == 403
    assert "127.0.0.1 only" in text


def test_nothing_listens_afterwards():
    with serve_on_loopback(Hello, 0) as address:
        pass
    with pytest.raises(ConnectionRefusedError):
        asked(address, "127.0.0.1")
