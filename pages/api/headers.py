"""What holds for every page, route and script: headers, and no posts from other sites."""

from starlette.datastructures import Headers as Headerlines
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # The address of a page may hold a participant's link; other sites have no business with it.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
}


class OwnForms:
    """Refuse what the forms and scripts of other sites send: it would carry this browser's cookies.

    Browsers say of each request where it comes from (Fetch Metadata, W3C); what says nothing is no browser
    of these years, and finds no other browser's cookies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on unless another site's page sends it."""
        answer = self.app if _is_own(scope) else PlainTextResponse("this form is not ours", status_code=403)
        await answer(scope, receive, send)


def _is_own(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "POST":
        return True
    return Headerlines(scope=scope).get("sec-fetch-site") not in {"cross-site", "same-site"}


class Headers:
    """Add the security headers that Streamlit leaves out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the response's headers."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, complete if scope["type"] == "http" else send)
