"""`streamlit run app.py` serves facevis: Streamlit's pages and the live view's routes, one port."""

import streamlit as st

from facevis.ui.server import MAIN, lifespan, middleware, routes

app = st.App(MAIN, routes=routes(), middleware=middleware(), lifespan=lifespan)
