"""Cookies, and the second token that every POST must carry beside its cookie.

Another site can make a browser send a cookie along, but it cannot read the page that
holds this token.
"""

import hashlib
import hmac

from starlette.requests import Request
from starlette.responses import Response

LOGIN = "facenorm-login"


def participant_cookie(key: str) -> str:
    """Name the cookie of a participant's session, for instance of `demo` or `preview.demo`."""
    return f"facenorm-{key}"


def session_key(study_id: str, kind: str) -> str:
    """Return the key under which a browser keeps a session: a preview never replaces the real one."""
    return study_id if kind == "human" else f"{kind}.{study_id}"


def post_token(cookie: str) -> str:
    """Derive the token that a page hands to its own scripts and forms."""
    return hmac.new(cookie.encode(), b"post", hashlib.sha256).hexdigest()


def matches(cookie: str, token: str | None) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(post_token(cookie), token or "")


def is_https(request: Request) -> bool:
    """Say whether the browser speaks TLS, to us or to a proxy in front of us."""
    return request.headers.get("x-forwarded-proto", request.url.scheme).split(",")[0].strip() == "https"


def set_cookie(response: Response, request: Request, name: str, value: str, *, max_age_s: int) -> None:
    """Set an HttpOnly cookie that only this site's own pages send."""
    response.set_cookie(
        name, value, max_age=max_age_s, httponly=True, samesite="lax", secure=is_https(request), path="/"
    )
