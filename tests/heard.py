"""What a browser asks for and complains of, written down as it happens."""

from urllib.parse import urlsplit

OWN = {"localhost", "127.0.0.1", "::1"}
WITHIN = {"data", "blob", "about", "file"}
"""Addresses of what the browser has already."""
ABORTED = "net::ERR_ABORTED"
"""How a request ends whose page was left."""
OF_DRAWING = ("[.WebGL", "Canvas2D: ")
"""How Chromium begins what it says to Plotly of drawing without a graphics card."""
NAMED = """() => [...document.querySelectorAll("link[href], [src], object[data], [poster]")]
  .flatMap((e) => [e.href, e.src, e.data, e.poster])
  .filter((url) => typeof url === "string" && url !== "")"""
"""What a page names to be fetched, also where that makes no request: a preconnect is none."""


class Heard:
    """Listens to a context of the browser: its pages, sockets and service workers."""

    def __init__(self, context, expected=()):
        self.asked: list[str] = []
        self.faults: list[str] = []
        self._expected = expected
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.on("console", self._said)
        context.on("weberror", lambda error: self._fault(f"thrown: {error.error}"))
        context.on("page", lambda page: page.on("websocket", self._socket))

    def foreign(self, *pages):
        """All addresses on other machines: asked for, or named by a page to be asked for soon."""
        named = [url for page in pages for url in page.evaluate(NAMED)]
        return sorted({url for url in (*self.asked, *named) if not _here(url)})

    def _socket(self, socket):
        self.asked.append(socket.url)

    def _failed(self, request):
        if request.failure != ABORTED:
            self._fault(f"{request.failure}: {request.url}")

    def _answered(self, response):
        if response.status >= 400:
            self._fault(f"status {response.status}: {response.url}")

    def _said(self, message):
        if message.type in ("error", "warning") and not message.text.startswith(OF_DRAWING):
            self._fault(f"{message.type}: {message.text}")

    def _fault(self, text):
        if not any(part in text for part in self._expected):
            self.faults.append(text)


def _here(url):
    parts = urlsplit(url)
    return parts.scheme in WITHIN or parts.hostname in OWN
