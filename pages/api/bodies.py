"""Request bodies of a bounded size."""

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

FORM_BYTES = 64_000
_UNREADABLE = "the form could not be read; reload the page and try again"


async def read(request: Request, *, limit: int) -> bytes:
    """Return the body; 413 as soon as it is larger than limit bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise HTTPException(413, f"the request is larger than {limit} bytes")
    return bytes(body)


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a URL-encoded form; of a repeated field the last counts."""
    body = await read(request, limit=FORM_BYTES)
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
    except ValueError as error:
        raise HTTPException(400, _UNREADABLE) from error
    # PostgreSQL has no place for NUL in a text.
    if any("\0" in text for field in fields.items() for text in field):
        raise HTTPException(400, _UNREADABLE)
    return fields
