"""What Milvus is to the retrieval service, in memory: a collection that may fail, addresses that answer."""

from __future__ import annotations

import threading

from halab.errors import RagError
from halab.rag.documents import Passage


class FakeCollection:
    """Rows by side and key. `fail_after` writes are acknowledged; the next one is carried out, and its
    acknowledgement lost."""

    name, uri = "fake", ""

    def __init__(self, fail_after=None):
        self.rows, self.answering, self.fail_after, self.writes = {}, "", fail_after, 0

    sides = ("fake_a", "fake_b")

    def open(self, name, dimensions):
        if not self.answering:
            self.make("fake_a", name, dimensions)
            self.answering = "fake_a"
        return self.answering

    def other(self):
        return self.sides[self.answering == self.sides[0]]

    def make(self, side, name, dimensions):
        self.rows[side] = {}

    def write(self, side, passages, vectors):
        self.rows[side] |= {passage.key: passage for passage in passages}
        self.writes += 1
        if self.fail_after is not None and self.writes > self.fail_after:
            raise RagError("nobody acknowledged it")

    def remove(self, side, keys):
        for key in keys:
            self.rows[side].pop(key, None)

    def present(self, side, keys):
        return [key for key in keys if key in self.rows[side]]

    def sources(self, side):
        return {key: passage.source for key, passage in self.rows[side].items()}

    def flush(self, side): ...

    def switch(self, side):
        self.answering = side


PASSAGES = [
    Passage("notes/a.md", "Tea", "The tea is in the kitchen."),
    Passage("notes/b.md", "钥匙", "钥匙在门口。"),
]


class FakeAddress:
    """Answers as `behave` says, a pair of an answer (passages, or None) and an error; "hang" never answers
    until it is cancelled. `asked` counts."""

    def __init__(self, behave=(PASSAGES, ""), *, name="one", standby=False):
        self.behave, self.name, self.standby, self.asked = behave, name, standby, 0

    def search(self, vector, limit, timeout, done):
        self.asked += 1
        if self.behave == "hang":
            return lambda: done(None, "CANCELLED: overtaken")
        threading.Thread(target=done, args=self.behave).start()
        return lambda: None

    def close(self): ...
