"""The cookies' names, and the second token that a POST carries beside its cookie.

Another site can make a browser send a cookie along, but it cannot read the page that
holds this token. Posts that need no cookie carry none: what browsers say of the site
that sends them keeps others out.
"""

import hashlib
import hmac

LOGIN = "facenorm.login"  # no study id holds a dot, so no participant's cookie has this name
ERASE = "facenorm.erase"  # STUDY.CODE, sealed, from typing the code until its session is deleted
ERASED = "facenorm.erased"  # SESSION.OUTCOME of what was deleted a moment ago


def session_key(study_id: str, kind: str) -> str:
    """Return the key under which a browser keeps a session: a preview never replaces the real one."""
    return study_id if kind == "human" else f"{kind}.{study_id}"


def participant(key: str) -> str:
    """Name the cookie of a participant's session, for instance of `demo` or `preview.demo`."""
    return f"facenorm-{key}"


def post_token(cookie: str) -> str:
    """Derive the token that a page hands to its own scripts and forms."""
    return hmac.new(cookie.encode(), b"post", hashlib.sha256).hexdigest()


def sealed(value: str, secret: bytes) -> str:
    """Return a cookie that this installation alone can make."""
    return f"{_seal(value, secret)}.{value}"


def unsealed(cookie: str, secret: bytes) -> str:
    """Return what was sealed; empty where the cookie was made elsewhere."""
    seal, _, value = cookie.partition(".")
    return value if hmac.compare_digest(seal.encode(), _seal(value, secret).encode()) else ""


def _seal(value: str, secret: bytes) -> str:
    return hmac.new(secret, f"cookie {value}".encode(), hashlib.sha256).hexdigest()


def matches(cookie: str, token: str | None) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(post_token(cookie).encode(), (token or "").encode())
