"""Starlette routes beside Streamlit."""
