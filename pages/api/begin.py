"""Begin and decline: the two ways out of the consent page, and the way back in."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse

from core import build, cookies, i18n, plan, settings
from core.errors import SessionError
from core.records import Circumstances, ConsentGiven, Places, Plan, Session, Stimulus
from core.study import Study
from db import engine as db_engine
from db import external, places, sessions, studies
from db.places import Counted, Scope
from pages.api import bodies, coming, responses, store
from pages.api.coming import Coming, Entry

AGE = "minimum_age"  # the consent item that every study has
SESSION_S = 14 * 24 * 3600  # how long a browser may come back at least, to see the last page again


@dataclass(frozen=True, slots=True)
class Pass:
    """What lets a browser into its session: a cookie."""

    name: str
    token: str
    lasts_s: int


class _FullError(SessionError):
    """Nobody new is needed."""


async def begin(request: Request) -> RedirectResponse:
    """Create the session that the pressed Begin asks for, and send its cookie."""
    form = await bodies.form(request)
    given = await run_in_threadpool(_begin, form, request.cookies)
    if isinstance(given, str):
        return _back(form, problem=given)
    return _let_in(request, form, given)


async def come_back(request: Request) -> RedirectResponse:
    """Give this browser the session that began with the link's id."""
    form = await bodies.form(request)
    given = await run_in_threadpool(_come_back, form)
    return _back(form) if given is None else _let_in(request, form, given)


async def decline(request: Request) -> RedirectResponse:
    """Count a refusal and keep nothing else of it."""
    form = await bodies.form(request)
    await run_in_threadpool(_decline, form)
    return _back(form, declined="1")


def _let_in(request: Request, form: dict[str, str], given: Pass) -> RedirectResponse:
    # The cookie says who this is from here on: the id leaves the address bar.
    response = _back({name: form.get(name, "") for name in ("study", "link", "language")})
    responses.set_cookie(response, request, given.name, given.token, max_age_s=given.lasts_s)
    return response


def _back(form: dict[str, str], **more: str) -> RedirectResponse:
    """Lead back to the study, with the parameters of the link."""
    own = {"study": form.get("study"), "link": form.get("link"), "lang": form.get("language")}
    brought = {name: value for name, (value,) in coming.asked(form).items()}
    query = {name: value for name, value in {**brought, **own, **more}.items() if value}
    return RedirectResponse(f"/?{urlencode(query)}", status_code=303)


def _begin(form: dict[str, str], jar: dict[str, str]) -> str | Pass:
    """Return what lets the browser in, or the problem."""
    study_id, counted = form.get("study", ""), _count(form)
    with db_engine.writing(store.engine()) as conn:
        found = _find(conn, form)
        where = found and found.entry
        if found is None or where is None:
            return "closed"
        if problem := _problem(found, form):
            return problem
        name = cookies.participant(cookies.session_key(study_id, where.kind))
        held = coming.held(conn, found, jar.get(name, ""), again=True)
        try:
            token = jar[name] if held else _token(conn, found, where, form, counted)
        except _FullError:
            sessions.tally(conn, where.version.config_hash, "full", kind=where.kind, phase=where.phase)
            return "full"
    return Pass(name, token, _lasts_s(found.study))


def _find(conn: Connection, form: dict[str, str]) -> Coming | None:
    typed = form.get("typed", "")
    return coming.find(conn, form.get("study", ""), form.get("link", ""), coming.asked(form), typed=typed)


def _count(form: dict[str, str]) -> Counted | None:
    """Count what is planned and done before anybody has to wait for this Begin."""
    with db_engine.reading(store.engine()) as conn:
        found = _find(conn, form)
        where = found and found.entry
        if found is None or where is None or found.known or found.arrival.problem:
            return None
        scope = Scope(where.version, where.kind, where.phase, form.get("language", ""))
        return places.count(conn, scope, plan.counting(found.study))


def _problem(found: Coming, form: dict[str, str]) -> str | None:
    """Say why this form cannot begin a session."""
    if found.arrival.problem:
        return found.arrival.problem
    if form.get("language", "") not in found.study.languages or not 16 <= len(form.get("nonce", "")) <= 64:
        return "form"
    return None if found.known or _agreed(found.study, form) else "consent"


def _token(
    conn: Connection, found: Coming, where: Entry, form: dict[str, str], counted: Counted | None
) -> str:
    """Begin the session of this form, or find the one that its id has begun already."""
    external_id = found.arrival.external_id
    if external_id is None:
        return _create(conn, where, found.study, form, counted)[1]
    external.hold(conn, where.version.study_id, where.kind, external_id)
    secret, salt = settings.secret(settings.load()), external.new_salt()
    if where.kind == "human":
        known = external.session_of(conn, where.version.study_id, where.kind, external_id)
        if known is not None:
            return external.token(conn, known, external_id, secret=secret)
        form = {**form, "nonce": external.nonce(secret, salt, external_id)}
    else:
        external.release(conn, where.version.study_id, where.kind, external_id)
    session, token = _create(conn, where, found.study, form, counted)
    external.add(conn, session, external_id, found.arrival.kept, salt=salt)
    return token


def _come_back(form: dict[str, str]) -> Pass | None:
    """Return what lets the browser in; None where nobody has begun with this id."""
    with db_engine.writing(store.engine()) as conn:
        found = _find(conn, form)
        if found is None or found.known is None or found.arrival.external_id is None:
            return None
        secret = settings.secret(settings.load())
        token = external.token(conn, found.known, found.arrival.external_id, secret=secret)
    name = cookies.participant(cookies.session_key(found.known.study_id, found.known.kind))
    return Pass(name, token, _lasts_s(found.study))


def _lasts_s(study: Study) -> int:
    return max(SESSION_S, study.resume.max_age_h * 3600)


def _agreed(study: Study, form: dict[str, str]) -> bool:
    required = [f"consent.{item.id}" for item in study.consent.items if item.required]
    return all(form.get(name) == "on" for name in [*required, "age"])


def _create(
    conn: Connection, where: Entry, study: Study, form: dict[str, str], counted: Counted | None
) -> tuple[Session, str]:
    # One nonce is one session, and a seed of its own for each session keeps trial ids apart.
    rng = random.Random(f"{study.seed}:{where.version.config_hash}:{where.kind}:{form['nonce']}")
    stimuli = studies.stimuli(conn, where.version.config_hash)
    return sessions.begin(
        conn,
        config_hash=where.version.config_hash,
        kind=where.kind,
        phase=where.phase,
        language=form["language"],
        nonce=form["nonce"],
        consents=_consents(study, form),
        draw=lambda places: _draw(study, stimuli, places, rng, may_be_full=where.kind == "human"),
        option_order=plan.option_order(study, rng=rng),
        utc_offset_min=_offset(form.get("utc_offset", "")),
        circumstances=Circumstances(study.disclosure, i18n.catalogue_hash(form["language"]), build.APP),
        counting=counted or plan.counting(study),
    )


def _draw(
    study: Study, stimuli: Sequence[Stimulus], places: Places, rng: random.Random, *, may_be_full: bool
) -> Plan:
    if may_be_full and plan.is_full(study, stimuli, places):
        raise _FullError("nobody new is needed in this study")
    return plan.build(study, stimuli, places, rng=rng)


def _consents(study: Study, form: dict[str, str]) -> list[ConsentGiven]:
    language = form["language"]
    of_age = i18n.words(language)["welcome.age"].format(age=study.minimum_age)
    version = study.consent.version
    return [
        ConsentGiven(AGE, required=True, agreed=True, language=language, version=version, text=of_age),
        *(
            ConsentGiven(
                item_id=item.id,
                required=item.required,
                agreed=form.get(f"consent.{item.id}") == "on",
                language=language,
                version=version,
                text=f"{study.consent.intro[language]}\n\n{item.text[language]}",  # type: ignore[index]
            )
            for item in study.consent.items
        ),
    ]


def _offset(text: str) -> int | None:
    """Return minutes east of UTC, or None where the browser did not say anything plausible."""
    try:
        minutes = int(text)
    except ValueError:
        return None
    return minutes if -14 * 60 <= minutes <= 14 * 60 else None


def _decline(form: dict[str, str]) -> None:
    with db_engine.writing(store.engine()) as conn:
        where = coming.entry(conn, form.get("study", ""), form.get("link", ""))
        if where is not None:
            sessions.tally(conn, where.version.config_hash, "declined", kind=where.kind, phase=where.phase)
