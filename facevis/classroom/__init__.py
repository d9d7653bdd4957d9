"""The classroom: a small second server for students, who follow, vote and try small runs.

It stands beside the lecturer's app in one process and knows no Streamlit.
"""
