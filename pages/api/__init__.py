"""Starlette routes beside Streamlit: they never touch a Streamlit session."""

from starlette.routing import Route

from pages.api import (
    answers,
    begin,
    downloads,
    going,
    health,
    here,
    leave,
    login,
    questionnaire,
    stimuli,
    upkeep,
)
from pages.api.store import migrate

__all__ = ["ROUTES", "migrate", "upkeep"]

ROUTES = [
    Route("/api/begin", begin.begin, methods=["POST"]),
    Route("/api/return", begin.come_back, methods=["POST"]),
    Route("/api/resume", going.resume, methods=["POST"]),
    Route("/api/next", going.next_participant, methods=["POST"]),
    Route("/api/decline", begin.decline, methods=["POST"]),
    Route("/api/answers", answers.answers, methods=["POST"]),
    Route("/api/here", here.here, methods=["POST"]),
    Route("/api/questionnaire", questionnaire.questionnaire, methods=["POST"]),
    Route("/api/stop", leave.stop, methods=["POST"]),
    Route("/api/debriefed", leave.debriefed, methods=["POST"]),
    Route("/api/erase/find", leave.find, methods=["POST"]),
    Route("/api/erase", leave.erase, methods=["POST"]),
    Route("/api/stimuli/{served_sha256}", stimuli.stimulus),
    Route("/api/login", login.log_in, methods=["POST"]),
    Route("/api/password", login.change_password, methods=["POST"]),
    Route("/api/logout", login.log_out, methods=["POST"]),
    Route("/api/export/{study_id}", downloads.export),
    Route("/api/health", health.health),
]
