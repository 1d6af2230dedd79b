"""The certificate as a page for A4 paper: one HTML file that needs nothing beside it."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template
from typing import Any

from halab.certificate.paper import qr_picture
from halab.certificate.record import Certificate, CertifiedItem, JournalPin, Record
from halab.certificate.signing_keys import PublicKey
from halab.translation import Language, html_lang

__all__ = ["page"]

_HERE = Path(__file__).parent

_WORDS: dict[Language, dict[str, Any]] = {
    "en": {
        "title": "Certificate",
        "hours": "{} hours",
        "by": "by",
        "after_by": " ",
        "valid": "valid until {}",
        "qr": "QR: this certificate in short, signed",
        "certifies": "This certifies that",
        "learner": "learner id",
        "shown": "has shown the ten things below: each by exercises graded at 80 % or more of their points, "
        "and by measurements on a real Milvus cluster.",
        "item": "Item",
        "points": "Points",
        "measured": "Measurements (SHA-256)",
        "measured_on": "Measured on",
        "engine": "engine",
        "from_to": "to",
        "count": "measurements",
        "none_simulated": "No simulated run counts.",
        "issued": "Issued",
        "stops": (", ", "; ", ". "),
        "own": "with the learner's own key: nobody else vouches for it",
        "issuer": "with the key of its issuer",
        "key": "Key fingerprint",
        "record": "Record digest",
        "verify": "To verify",
        "how": "This page is a picture; the signed record beside it counts. With halab, without a network:",
        "says": "It says what is proven and what is not. Compare the fingerprint above with one that reached "
        "you by another way.",
    },
    "zh": {
        "title": "结业证书",
        "hours": "{} 学时",
        "by": "签发者：",
        "after_by": "",
        "valid": "有效期至 {}",
        "qr": "二维码：本证书的摘要，带签名",
        "certifies": "兹证明",
        "learner": "学员编号",
        "shown": "已完成下列十个考核项：每一项的练习都至少拿到八成分数，并在真实的 Milvus 集群上做了实测。",
        "item": "考核项",
        "points": "得分",
        "measured": "实测日志（SHA-256）",
        "measured_on": "实测环境",
        "engine": "引擎",
        "from_to": "至",
        "count": "次实测",
        "none_simulated": "模拟运行不计入。",
        "issued": "签发日期",
        "stops": ("，", "；", "。"),
        "own": "由学员自己的密钥签名，没有他人担保",
        "issuer": "由签发者的密钥签名",
        "key": "密钥指纹",
        "record": "记录摘要",
        "verify": "如何验证",
        "how": "本页只是打印件，以随附的签名记录为准。装有 halab 即可离线验证：",
        "says": "它会说明哪些得到证明、哪些没有。请通过其他途径取得指纹，与上面的比对。",
    },
}  # fmt: skip


def page(certificate: Certificate, file: str, language: Language) -> str:
    """The page. `file` is the name of the signed record, which lies beside it."""
    record, words = certificate.record, _WORDS[language]
    values = {
        **words,
        "lang": html_lang(language),
        "style": (_HERE / "certificate_page.css").read_text(encoding="utf-8"),
        "name": record.name or record.learner,
        "length": "long" if len(record.name or record.learner) > 30 else "",
        "id": f"{words['learner']} {record.learner}" if record.name else "",
        "engines": _engines(record, language),
        "course": f"{record.course.words.in_(language)} · {words['hours'].format(record.course.hours)}",
        "issue": words["stops"][0].join(_issue(record, words)),
        "digest": certificate.digest,
        "command": f"halab verify {file}",
        "halab": f"halab {record.halab}",
    }
    safe = {
        key: value if key == "style" else html.escape(value)
        for key, value in values.items()
        if isinstance(value, str)
    }
    rows = "".join(_row(number, item, record, language) for number, item in enumerate(record.items, 1))
    template = Template((_HERE / "certificate_page.html").read_text(encoding="utf-8"))
    return template.substitute(
        safe, rows=rows, fingerprint=_fingerprint(certificate), qr_picture=qr_picture(certificate.paper)
    )


def _issue(record: Record, words: dict[str, Any]) -> list[str]:
    """When and until when, by whom, and whose key signed."""
    issuer = words["stops"][0].join(filter(None, (record.person, record.organisation)))
    return [
        f"{record.issued:%Y-%m-%d}",
        *([words["valid"].format(record.valid_until)] if record.valid_until else []),
        *([f"{words['by']}{words['after_by']}{issuer}"] if issuer else []),
        words[record.key],
    ]


def _row(number: int, item: CertifiedItem, record: Record, language: Language) -> str:
    exercises = [exercise for exercise in record.exercises if exercise.card in item.cards]
    points = sum(exercise.points for exercise in exercises)
    out_of = sum(exercise.out_of for exercise in exercises)
    journals = [journal for journal in record.journals if journal.card in item.cards]
    return (
        f'<tr><td class="number">{number}</td>'
        f'<th scope="row">{html.escape(item.words.in_(language))}</th>'
        f'<td class="points">{points:g}&#8202;/&#8202;{out_of:g}</td>'
        f'<td class="digests">{_digests(journals)}</td></tr>\n'
    )


def _digests(journals: list[JournalPin]) -> str:
    """The first two in short, and how many more."""
    shown = " ".join(f"<code>{journal.digest[:8]}</code>" for journal in journals[:2])
    return f"{shown} +{len(journals) - 2}" if len(journals) > 2 else shown


def _fingerprint(certificate: Certificate) -> str:
    """On two lines, to be read out and compared."""
    groups = PublicKey.from_text(certificate.public_key).fingerprint.split()
    return f"{' '.join(groups[:8])}<br>{' '.join(groups[8:])}"


def _engines(record: Record, language: Language) -> str:
    """What was measured on what and when, in one sentence."""
    words = _WORDS[language]
    comma, semicolon, stop = words["stops"]
    engines = sorted({_engine(journal, words["engine"], comma) for journal in record.journals})
    days = sorted(f"{journal.started:%Y-%m-%d}" for journal in record.journals)
    when = days[0] if days[0] == days[-1] else f"{days[0]} {words['from_to']} {days[-1]}"
    counted = f"{len(record.journals)} {words['count']}{comma}{when}{stop}"
    return f"{semicolon.join([*engines, counted])}{words['none_simulated']}"


def _engine(journal: JournalPin, word: str, comma: str) -> str:
    milvus = f"{comma}Milvus {journal.versions['milvus']}" if "milvus" in journal.versions else ""
    return f"{word} {journal.engine}{milvus}"
