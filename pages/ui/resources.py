"""What pages need from outside Streamlit: the engine, the settings, the parsed studies."""

from core import settings
from core.settings import Settings
from pages.api.store import engine, study_of

__all__ = ["configuration", "engine", "study_of"]


def configuration() -> Settings:
    """Return this installation's folders and database."""
    return settings.load()
