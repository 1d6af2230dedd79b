"""The inbox of whoever is on call: what Alertmanager sent, when it paged, and when it was resolved.

Alertmanager's webhook posts here (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config);
a page for people shows it. Both on loopback only.
"""

from __future__ import annotations

import html
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from halab.loopback_server import LoopbackHandler, serve_on_loopback
from halab.tables import Row, text_table
from halab.translation import gettext, gettext_noop, html_lang, language

__all__ = ["Inbox", "Message", "serve_inbox"]

_MOST_BYTES = 1 << 20  # of one post
_HEADINGS = (
    gettext_noop("alert"),
    gettext_noop("severity"),
    gettext_noop("about"),
    gettext_noop("began"),
    gettext_noop("arrived"),
    gettext_noop("resolved"),
    gettext_noop("what to do"),
)


@dataclass(frozen=True, slots=True)
class Message:
    """An alert that was sent. Times are seconds since 1970: when its rule began to fire, when the message
    arrived here, when the message of its end arrived (None while it lasts)."""

    alert: str
    severity: str
    about: str
    summary: str
    action: str
    began: float
    arrived: float
    resolved: float | None = None


class Inbox:
    """Messages by the order in which they arrived. Safe to read while others write."""

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}
        self._lock = threading.Lock()

    @property
    def messages(self) -> tuple[Message, ...]:
        with self._lock:
            return tuple(self._messages.values())

    def receive(self, body: Mapping[str, Any], now: float) -> None:
        """Take what Alertmanager's webhook posted. Raises KeyError, TypeError or ValueError if it is not
        that.
        """
        for alert in body["alerts"]:
            began = datetime.fromisoformat(alert["startsAt"]).timestamp()
            with self._lock:
                self._store(f"{alert['fingerprint']} {alert['startsAt']}", alert, began, now)

    def _store(self, key: str, alert: Mapping[str, Any], began: float, now: float) -> None:
        known = self._messages.get(key)
        if known is None:
            labels, notes = alert["labels"], alert["annotations"]
            known = Message(
                alert=labels["alertname"],
                severity=labels.get("severity", ""),
                about=labels.get("component") or labels.get("role") or labels.get("instance", ""),
                summary=notes.get("summary", ""),
                action=notes.get("action", ""),
                began=began,
                arrived=now,
            )
        if alert["status"] == "resolved" and known.resolved is None:
            known = replace(known, resolved=now)
        self._messages[key] = known

    def __repr__(self) -> str:
        if not self.messages:
            return gettext("Nobody was paged.")
        return text_table(
            gettext("What was sent"), _HEADINGS, [_row(each) for each in self.messages], align="left"
        )


def _row(message: Message) -> Row:
    return (
        message.alert,
        message.severity,
        message.about or "-",
        _clock(message.began),
        _clock(message.arrived),
        gettext("not yet") if message.resolved is None else _clock(message.resolved),
        message.action,
    )


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))


@contextmanager
def serve_inbox(inbox: Inbox, port: int) -> Iterator[str]:
    """Serve an inbox on loopback while the block runs: its page at the address that is yielded, its messages
    as JSON at `/messages`, and Alertmanager's webhook at `/alerts`."""

    class Handler(LoopbackHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self.answer(200, "text/html", _page(inbox))
            elif self.path == "/messages":
                self.answer(200, "application/json", json.dumps([asdict(each) for each in inbox.messages]))
            else:
                self.answer(404, "text/plain", "the inbox is at /")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if self.path != "/alerts" or not 0 < length <= _MOST_BYTES:
                self.answer(400, "text/plain", gettext("Alertmanager posts to /alerts, up to 1 MiB"))
                return
            try:
                inbox.receive(json.loads(self.rfile.read(length)), time.time())
            except (KeyError, TypeError, ValueError):
                self.answer(400, "text/plain", gettext("this is not what Alertmanager's webhook posts"))
                return
            self.answer(200, "text/plain", "")

    with serve_on_loopback(Handler, port) as address:
        yield address


_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ border-bottom: 1px solid #8886; padding: .4rem .6rem; text-align: left; vertical-align: top; }}
tr.open td:first-child {{ font-weight: bold; border-left: .4rem solid #c0392b; }}
tr.over td:first-child {{ border-left: .4rem solid #8886; }}
</style></head><body><h1>{heading}</h1><p>{summary}</p>{table}</body></html>
"""


def _page(inbox: Inbox) -> str:
    messages = inbox.messages
    waiting = sum(message.resolved is None for message in messages)
    summary = (
        gettext("{count} sent, {waiting} not resolved yet.").format(count=len(messages), waiting=waiting)
        if messages
        else gettext("Nobody was paged.")
    )
    rows = "".join(_page_row(message) for message in reversed(messages))
    heads = "".join(f"<th>{gettext(heading)}</th>" for heading in _HEADINGS)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if messages else ""
    return _PAGE.format(
        lang=html_lang(language()),
        title=gettext("Inbox"),
        heading=gettext("Inbox of whoever is on call"),
        summary=summary,
        table=table,
    )


def _page_row(message: Message) -> str:
    cells = "".join(f"<td>{html.escape(str(cell))}</td>" for cell in _row(message))
    state = "open" if message.resolved is None else "over"
    return f'<tr class="{state}" title="{html.escape(message.summary)}">{cells}</tr>'
