"""A page that checks a certificate's signature in the browser, for those who will not install anything.

The signed bytes, the signature and the key are in it. It asks no other host, and says what it cannot prove.
"""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from string import Template

from halab.certificate.record import Certificate
from halab.translation import Language, gettext, gettext_noop, html_lang, speaking

__all__ = ["check_page"]

_HERE = Path(__file__).parent

_WORDS = {
    "title": gettext_noop("Check a certificate"),
    "intro": gettext_noop("This page checks the signature here in your browser. It sends nothing anywhere."),
    "working": gettext_noop("Checking …"),
    "good": gettext_noop("✓ Unaltered since the holder of this key signed it:"),
    "bad": gettext_noop("✗ NOT what the holder of this key signed. It proves nothing:"),
    "old": gettext_noop(
        "✗ This browser cannot check Ed25519 signatures. Chrome 137, Firefox 129 and Safari 17 can."
    ),
    "over": gettext_noop("✗ It was valid until"),
    "compare": gettext_noop(
        "The issuer's key fingerprint, as the issuer publishes it (their site, a call), not as you "
        "read it here"
    ),
    "same": gettext_noop("✓ It is that key."),
    "other": gettext_noop("✗ It is another key: the issuer you asked did not sign this."),
    "paper": gettext_noop("What the QR of a printed certificate says (scan it with a phone, paste the text)"),
    "check": gettext_noop("Check"),
    "no_qr": gettext_noop("✗ This is not what the QR of a certificate says."),
    "limits": gettext_noop(
        "Not proven: who did the work, and that the issuer has not revoked it since; ask for their "
        "list. And who gave you this page could have written another one: if much hangs on it, get the page "
        "from the issuer, or use halab verify."
    ),
    "name": gettext_noop("Name"),
    "learner": gettext_noop("Learner id"),
    "course": gettext_noop("Course"),
    "hours": gettext_noop("Hours"),
    "organisation": gettext_noop("Organisation"),
    "person": gettext_noop("Issued by"),
    "issued": gettext_noop("Issued on"),
    "valid_until": gettext_noop("Valid until"),
    "key_kind": gettext_noop("Kind of key"),
    "key_own": gettext_noop("the learner's own"),
    "key_issuer": gettext_noop("the issuer's"),
    "items": gettext_noop("Shown"),
    "apart": gettext_noop("; "),
}


def check_page(certificate: Certificate, language: Language) -> str:
    """The page for one certificate; a QR's text can be pasted into it too."""
    with speaking(language):
        words = {name: gettext(text) for name, text in _WORDS.items()}
    data = {
        "signed": base64.b64encode(certificate.signed_part()).decode(),
        "signature": certificate.signature,
        "key": certificate.public_key,
        "language": language,
        "words": words,
    }
    template = Template((_HERE / "check_page.html").read_text(encoding="utf-8"))
    return template.substitute(
        {name: html.escape(text) for name, text in words.items()},
        lang=html_lang(language),
        # In a script no text may close it.
        data=json.dumps(data, ensure_ascii=True).replace("<", "\\u003c"),
        script=(_HERE / "check_page.js").read_text(encoding="utf-8"),
    )
