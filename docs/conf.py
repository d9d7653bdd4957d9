"""The API reference, built from the docstrings as they stand: `make docs`.

Nothing is fetched, neither by the build nor by its pages: no inventories of other projects, no
fonts or scripts of other servers. Formulas are plain text in the docstrings and stay that.
"""

import re
from typing import Any

from facevis import __version__

project = "facevis"
author = "The facevis authors"
project_copyright = "The facevis authors, MIT licence"
version = release = __version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
# One parameter a line where a signature would not fit a line of text.
python_maximum_signature_line_length = 80
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"facevis {__version__}"
html_static_path = ["_static"]
html_css_files = ["reference.css"]
html_show_sourcelink = False
html_copy_source = False
pygments_style = "a11y-light"
pygments_dark_style = "a11y-dark"


def leave_out_field(
    _app: Any, _what: str, _name: str, found: Any, _skip: bool, _options: Any
) -> bool | None:
    """A named tuple's fields: their class speaks of them, and Python only of their numbers."""
    return True if type(found).__name__ == "_tuplegetter" else None


def mend_for_screen_readers(
    _app: Any, _page: str, _template: str, context: dict[str, Any], _tree: Any
) -> None:
    """Captions get the level of a heading; long signatures are lines, no list of definitions."""
    for part in ("body", "furo_navigation_tree"):
        text = context.get(part, "").replace('role="heading"', 'role="heading" aria-level="2"')
        context[part] = re.sub(r"<dl>\n((?:<dd>.*</dd>\n)+)</dl>", _as_lines, text)


def _as_lines(found: re.Match[str]) -> str:
    opened = found[1].replace("<dd>", '<span class="sig-line">')
    return opened.replace("</dd>\n", "</span>")


def setup(app: Any) -> None:
    """What Sphinx calls."""
    app.connect("autodoc-skip-member", leave_out_field)
    # After the theme, which makes the navigation.
    app.connect("html-page-context", mend_for_screen_readers, priority=900)
