"""The end of external ids: destroyed a set number of days after payment."""

import logging
from datetime import date
from functools import lru_cache

from core.errors import FacenormError
from db import audit, external, studies
from db import engine as db_engine
from pages.api import store

_log = logging.getLogger("facenorm")


def forget_ids() -> None:
    """Destroy the ids that are due, once a day in each process; a failure is logged and tried again."""
    try:
        _forget_on(date.today())
    except FacenormError as error:
        _log.warning("external ids that are due were not destroyed: %s", error)


@lru_cache(maxsize=1)
def _forget_on(_day: date) -> None:
    with db_engine.reading(store.engine()) as conn:
        days = {
            version.config_hash: store.study_of(conn, version.config_hash).recruitment.forget_ids_after_days
            for version in studies.listing(conn)
        }
        if not external.due(conn, days):
            return
    with db_engine.writing(store.engine()) as conn:
        for study_id, n in external.forget(conn, days).items():
            audit.write(conn, "facenorm", "external ids destroyed", f"{study_id}: {n}")
