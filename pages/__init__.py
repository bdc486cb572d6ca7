"""The web application: Streamlit pages and, under api, the routes beside them."""
