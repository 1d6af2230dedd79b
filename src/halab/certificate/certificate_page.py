"""The certificate as a page for A4 paper: one HTML file that needs nothing beside it."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template

from halab.certificate.paper import qr_picture
from halab.certificate.record import Certificate, CertifiedItem, JournalPin, Record
from halab.certificate.signing_keys import PublicKey
from halab.translation import Language, gettext, gettext_noop, html_lang, ngettext, speaking

__all__ = ["page"]

_HERE = Path(__file__).parent

_WORDS = {
    "title": gettext_noop("Certificate"),
    "qr": gettext_noop("QR: this certificate in short, signed"),
    "certifies": gettext_noop("This certifies that"),
    "shown": gettext_noop(
        "has shown the ten things below: each by exercises graded at 80 % or more of their points, "
        "and by measurements on a real Milvus cluster."
    ),
    "item": gettext_noop("Item"),
    "points": gettext_noop("Points"),
    "measured": gettext_noop("Measurements (SHA-256)"),
    "measured_on": gettext_noop("Measured on"),
    "issued": gettext_noop("Issued"),
    "key": gettext_noop("Key fingerprint"),
    "record": gettext_noop("Record digest"),
    "verify": gettext_noop("To verify"),
    "how": gettext_noop(
        "This page is a picture; the signed record beside it counts. With halab, without a network:"
    ),
    "says": gettext_noop(
        "It says what is proven and what is not. Compare the fingerprint above with one that reached "
        "you by another way."
    ),
}


def page(certificate: Certificate, file: str, language: Language) -> str:
    """The page. `file` is the name of the signed record, which lies beside it."""
    with speaking(language):
        return _page(certificate, file, language)


def _page(certificate: Certificate, file: str, language: Language) -> str:
    record = certificate.record
    learner = gettext("learner id {learner}").format(learner=record.learner)
    hours = gettext("{hours} hours").format(hours=record.course.hours)
    values = {
        **{name: gettext(text) for name, text in _WORDS.items()},
        "lang": html_lang(language),
        "style": (_HERE / "certificate_page.css").read_text(encoding="utf-8"),
        "name": record.name or record.learner,
        "length": "long" if len(record.name or record.learner) > 30 else "",
        "id": learner if record.name else "",
        "engines": _engines(record),
        "course": f"{record.course.in_(language)} · {hours}",
        "issue": gettext(", ").join(_issue(record)),
        "digest": certificate.digest,
        "command": f"halab verify {file}",
        "halab": f"halab {record.halab}",
    }
    safe = {key: value if key == "style" else html.escape(value) for key, value in values.items()}
    rows = "".join(_row(number, item, record, language) for number, item in enumerate(record.items, 1))
    template = Template((_HERE / "certificate_page.html").read_text(encoding="utf-8"))
    return template.substitute(
        safe, rows=rows, fingerprint=_fingerprint(certificate), qr_picture=qr_picture(certificate.paper)
    )


def _issue(record: Record) -> list[str]:
    """When and until when, by whom, and whose key signed."""
    issuer = gettext(", ").join(filter(None, (record.person, record.organisation)))
    parts = [f"{record.issued:%Y-%m-%d}"]
    if record.valid_until:
        parts.append(gettext("valid until {day}").format(day=record.valid_until))
    if issuer:
        parts.append(gettext("by {issuer}").format(issuer=issuer))
    own = gettext("with the learner's own key: nobody else vouches for it")
    return [*parts, own if record.key == "own" else gettext("with the key of its issuer")]


def _row(number: int, item: CertifiedItem, record: Record, language: Language) -> str:
    exercises = [exercise for exercise in record.exercises if exercise.card in item.cards]
    points = sum(exercise.points for exercise in exercises)
    out_of = sum(exercise.out_of for exercise in exercises)
    journals = [journal for journal in record.journals if journal.card in item.cards]
    return (
        f'<tr><td class="number">{number}</td>'
        f'<th scope="row">{html.escape(item.in_(language))}</th>'
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


def _engines(record: Record) -> str:
    """What was measured on what and when, in one sentence."""
    engines = sorted(set(map(_engine, record.journals)))
    days = sorted(f"{journal.started:%Y-%m-%d}" for journal in record.journals)
    when = (
        days[0] if days[0] == days[-1] else gettext("{first} to {last}").format(first=days[0], last=days[-1])
    )
    number = len(record.journals)
    counted = ngettext("{n} measurement", "{n} measurements", number).format(n=number)
    return gettext("{engines}; {measurements}, {when}. No simulated run counts.").format(
        engines=gettext("; ").join(engines), measurements=counted, when=when
    )


def _engine(journal: JournalPin) -> str:
    engine = gettext("engine {engine}").format(engine=journal.engine)
    milvus = journal.versions.get("milvus")
    return gettext(", ").join([engine, f"Milvus {milvus}"]) if milvus else engine
