"""Pure logic: no Streamlit, no SQL."""
