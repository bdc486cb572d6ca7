"""Setting cookies."""

from starlette.requests import Request
from starlette.responses import Response


def is_https(request: Request) -> bool:
    """Say whether the browser speaks TLS, to us or to a proxy in front of us."""
    return request.headers.get("x-forwarded-proto", request.url.scheme).split(",")[0].strip() == "https"


def set_cookie(response: Response, request: Request, name: str, value: str, *, max_age_s: int) -> None:
    """Set an HttpOnly cookie that only this site's own pages send."""
    response.set_cookie(
        name, value, max_age=max_age_s, httponly=True, samesite="lax", secure=is_https(request), path="/"
    )
