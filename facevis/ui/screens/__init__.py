"""One module a page. Not called pages: Streamlit takes a folder of that name for its own."""
