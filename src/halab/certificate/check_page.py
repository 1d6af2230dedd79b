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
from halab.translation import Language, html_lang

__all__ = ["check_page"]

_HERE = Path(__file__).parent

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Check a certificate",
        "intro": "This page checks the signature here in your browser. It sends nothing anywhere.",
        "working": "Checking …",
        "good": "✓ Unaltered since the holder of this key signed it:",
        "bad": "✗ NOT what the holder of this key signed. It proves nothing:",
        "old": "✗ This browser cannot check Ed25519 signatures. Chrome 137, Firefox 129 and Safari 17 can.",
        "over": "✗ It was valid until",
        "compare": "The issuer's key fingerprint, as the issuer publishes it (their site, a call), not as "
        "you read it here",
        "same": "✓ It is that key.",
        "other": "✗ It is another key: the issuer you asked did not sign this.",
        "paper": "What the QR of a printed certificate says (scan it with a phone, paste the text)",
        "check": "Check",
        "no_qr": "✗ This is not what the QR of a certificate says.",
        "limits": "Not proven: who did the work, and that the issuer has not revoked it since; ask for their "
        "list. And who gave you this page could have written another one: if much hangs on it, get the page "
        "from the issuer, or use halab verify.",
        "name": "Name",
        "learner": "Learner id",
        "course": "Course",
        "hours": "Hours",
        "organisation": "Organisation",
        "person": "Issued by",
        "issued": "Issued on",
        "valid_until": "Valid until",
        "key_kind": "Kind of key",
        "items": "Shown",
    },
    "zh": {
        "title": "核对证书",
        "intro": "本页在你的浏览器里核对签名，不向任何地方发送数据。",
        "working": "正在核对……",
        "good": "✓ 自下面这个密钥的持有人签名以来，没有改动过：",
        "bad": "✗ 不是下面这个密钥的持有人签过的内容，什么也证明不了：",
        "old": "✗ 这个浏览器不会核对 Ed25519 签名。请用 Chrome 137、Firefox 129、Safari 17 或更新的版本。",
        "over": "✗ 有效期已过：",
        "compare": "签发者公布的密钥指纹（从他们的网站或电话得到，不要照抄本页）",
        "same": "✓ 就是这个密钥。",
        "other": "✗ 是另一个密钥：不是你问的那家签发的。",
        "paper": "纸质证书上二维码的内容（用手机扫描后粘贴）",
        "check": "核对",
        "no_qr": "✗ 这不是证书二维码的内容。",
        "limits": "没有证明的是：学习是谁完成的，以及签发者后来有没有吊销（请向签发者要吊销名单）。"
        "给你这一页的人也可能自己写一页：如果事关重大，请向签发者要这一页，或用 halab verify 核对。",
        "name": "姓名",
        "learner": "学员编号",
        "course": "课程",
        "hours": "学时",
        "organisation": "签发机构",
        "person": "签发人",
        "issued": "签发日期",
        "valid_until": "有效期至",
        "key_kind": "密钥类型",
        "items": "考核项",
    },
}  # fmt: skip


def check_page(certificate: Certificate, language: Language) -> str:
    """The page for one certificate; a QR's text can be pasted into it too."""
    words = _WORDS[language]
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
