"""The pages and the parts they share: the only place that knows Streamlit."""
