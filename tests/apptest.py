"""Pages without a browser: visit one, read its widgets and the run that it shows."""

from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from facevis.live.rooms import rooms

MAIN = str(Path(__file__).parents[1] / "facevis" / "ui" / "main.py")


def visit(page="", **query):
    app = AppTest.from_file(MAIN, default_timeout=60)
    app.query_params.update(query)
    app._page_hash = calc_hash(page)
    app.run()
    assert not app.exception, app.exception
    return app


def key(name, page="playground"):
    return f"widget:{page}:{name}"


def shown(app, page="playground"):
    token, config = app.session_state[f"{page}:run"]
    return rooms.find(token), config
