import httpx
import pytest

from halab.monitoring.inbox import Inbox, serve_inbox


def posted(status="firing", alert="MilvusRequestsFail", began="2026-11-28T08:00:00.5Z", **labels):
    return {
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": alert, "severity": "page", **labels},
                "annotations": {"summary": "It <fails>.", "action": "<script>look</script>"},
                "startsAt": began,
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": alert,
            }
        ]
    }


@pytest.fixture
def served():
    inbox = Inbox()
    with serve_inbox(inbox, 0) as address:
        yield inbox, address


def test_a_message_arrives_once_and_is_resolved_once(served):
    inbox, address = served
    for body in (posted(), posted(), posted("resolved"), posted("resolved")):
        assert httpx.post(f"{address}alerts", json=body).status_code == 200
    (message,) = inbox.messages
    assert message.began < message.arrived <= message.resolved
    assert httpx.get(f"{address}messages").json()[0]["alert"] == "MilvusRequestsFail"


def test_the_same_rule_that_fires_again_is_another_message(served):
    inbox, address = served
    for began in ("2026-11-28T08:00:00Z", "2026-11-28T09:00:00Z"):
        httpx.post(f"{address}alerts", json=posted(began=began))
    assert len(inbox.messages) == 2
    assert "not yet" in repr(inbox)


def test_the_page_shows_what_was_sent_and_runs_nothing_of_it(served):
    _, address = served
    assert "Nobody was paged" in httpx.get(address).text
    httpx.post(f"{address}alerts", json=posted(role="<img src=x>"))
    page = httpx.get(address)
    assert "1 sent, 1 not resolved yet" in page.text
    assert "<script>" not in page.text
    assert "<img" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '{"alerts": [{}]}', '{"alerts": 7}', "x" * (2 << 20)]
)
def test_what_alertmanager_does_not_post_is_refused_and_changes_nothing(served, body):
    inbox, address = served
    assert httpx.post(f"{address}alerts", content=body).status_code == 400
    assert httpx.post(f"{address}elsewhere", json=posted()).status_code == 400
    assert inbox.messages == ()
