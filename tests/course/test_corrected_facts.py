"""Sentences that were wrong or out of date once and must not come back, in whatever file they stood.

Where a number or a behaviour can be checked, that is done beside it; this holds prose only.
"""

import json
import re
from pathlib import Path

import pytest

from halab.course.paths import course_root

ROOT = course_root()
FOLDERS = ("cards", "course", "solutions", "docs", "src/halab/widgets", "src/halab/lessons")
SUFFIXES = {".md", ".ipynb", ".yaml", ".yml", ".js", ".py"}


def text(path: Path) -> str:
    """What a reader sees of the file, with lines joined as prose is."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        content = "\n\n".join("".join(cell["source"]) for cell in json.loads(content)["cells"])
    return re.sub(r"\s*\n(?:# )?\s*", " ", content)


TEXTS = {
    path.relative_to(ROOT): text(path)
    for path in (
        *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES),
        *ROOT.glob("*.md"),
        *ROOT.glob("docker-compose*.yml"),
    )
}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (r"TCP on 9091 for the streaming node", "since chart 4.2.38 every component's liveness is tcpSocket"),
        (r"(?i)\bavailability grows exponentially", "the time without service falls exponentially"),
        (r"可用性随副本数指数级上升", "随副本数指数级下降的是不可用时间"),
        (r"milvus\.io/docs/release_notes\.md", "the unversioned page is that of the newest release: pin it"),
        (r"fta-studio\.pages\.dev", "a glossary of a small tool is no source"),
        (r"checked: the values against the chart's own keys", "they are compared with a list of them"),
        (
            r"It is restarted before it is done",
            "a start of 31 to 49 s is not: three probes must fail in a row",
        ),
        (r"survives the loss of any one node", "the chart's store and log do not, unless they are told to"),
        (r"by the rule of the others and untested", "mixCoord.enableActiveStandby is in the upgrade guide"),
        (r"2\.5\.26", "2.5.27 is the newest patch of 2.5"),
        (r"milvus:v2\.6\.16", "2.6.17 repaired what this course is about; 2.6.22 is the newest"),
        (r"Woodpecker by default, written|默认 Woodpecker", "in 2.6 it is an option, in 3.0 the default"),
        (r"Replicas of a collection \| set when it is \S+ \| the same", "it changes online since 2.4.13"),
        (r"no difference beyond chance", "a finding needs a figure or a journal beside it"),
        (r"unless it carries its own key", "insert looks at no key: repeat upserts, with your own"),
        (r"(in|on) the main branch (always on )?since December 2025", "it was picked to 2.6 as well"),
        (r"milvus_proxy_sync_epoch_time", "no Milvus since 2.3 has this metric"),
        (r"[Bb]efore 2\.6\.6|2\.6\.6 之前", "an unreachable etcd is noticed from 2.6.7 (milvus#45633)"),
        (
            r"[Dd]eletes are refused too, so|2\.6 起，计划停机会?交还",
            "not with a full disk quota from 2.4.14; not only from 2.6",
        ),
    ],
)
def test_what_was_wrong_does_not_come_back(wrong: str, right: str) -> None:
    assert [str(path) for path, words in TEXTS.items() if re.search(wrong, words)] == [], right


@pytest.mark.parametrize("path", sorted((ROOT / "cards/zh").glob("*.md")), ids=lambda path: path.stem)
def test_what_a_chinese_card_leaves_out_does_not_begin_with_saying_so(path: Path) -> None:
    """The label in front of it is 它没说的: already."""
    assert not re.search(r"leaves_out: \"?(没说|又?漏了|没算|少了)", path.read_text(encoding="utf-8"))
