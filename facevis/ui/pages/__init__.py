"""One module a page: controls to a dataclass, call the core, draw."""
