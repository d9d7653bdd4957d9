"""The HTML of the pages: Streamlit's own and one line more, which says where the server is.

Streamlit's page guesses: at `/compare` it first asks for a server below `/compare`. That are two
requests in vain before the first picture, and two errors in the browser's console.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from streamlit import file_util

ADDRESSES = (
    *("lecture", "compare", "scrub", "strangers"),
    *("fullscale", "dimensions", "runs", "yourself"),
)
"""Of all pages but the first, which has the app's own address: there is nothing to guess."""
_HERE = (
    '<script>window.__streamlit = { BACKEND_BASE_URL: new URL(".", location.href).href }</script>'
)


def routes() -> list[BaseRoute]:
    """The address of each page."""
    return [Route(f"/{name}", _page) for name in ADDRESSES]


def told(html: str) -> str:
    """Streamlit's page, told that its server is where the page is.

    >>> told("<head></head>").startswith("<head><script>window.__streamlit")
    True
    """
    return html.replace("<head>", f"<head>{_HERE}", 1)


async def _page(request: Request) -> Response:
    html = Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")
    return HTMLResponse(told(html), headers={"Cache-Control": "no-cache"})
