"""Answers from the browser: their form, and whether they fit their trial."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.codes import listed, mend
from core.errors import AnswerError
from core.records import Answer, Evidence, Response, ResponseStatus, Trial
from core.scales import bounds
from core.study import Scale, Study
from core.study_rules import EMOTION
from core.tasks import asked_in

MAX_BYTES = 1_000_000
MAX_ANSWERS = 1_000

Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
# A hundred days: a tab may stay open for long, but no clock gives more.
Ms = Annotated[float, Field(ge=0, le=8.64e9)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class _Evidence(_Form):
    onset_ok: bool
    decode_ms: Ms | None = None
    paint_ms: Ms | None = None
    shown_ms: Ms | None = None
    frame_sd_ms: Ms | None = None
    blur_count: Count = 0
    hidden_count: Count = 0
    input_device: Literal["keyboard", "mouse", "touch", "pen"] | None = None
    viewport: (
        Annotated[str, Field(pattern=r"^[0-9]{1,5}x[0-9]{1,5}(@[0-9]{1,2}([.][0-9]{1,20})?)?$")] | None
    ) = None
    app: Annotated[str, Field(pattern=r"^[0-9A-Za-z._+-]{1,64}$")] | None = None


class _Response(_Form):
    scale_id: Code
    status: ResponseStatus
    value: Annotated[float, Field(ge=-1e6, le=1e6)] | None = None
    label: Code | None = None
    rt_first_ms: Ms | None = None
    rt_submit_ms: Ms | None = None
    n_changes: Count = 0


class _Answer(_Form):
    trial_id: Id
    revision: Annotated[int, Field(ge=1, le=10_000)]
    evidence: _Evidence
    responses: Annotated[list[_Response], Field(min_length=1, max_length=100)]


class _Body(_Form):
    answers: Annotated[list[_Answer], Field(min_length=1, max_length=MAX_ANSWERS)]


_BODY = TypeAdapter(_Body)


def parse(body: bytes) -> tuple[Answer, ...]:
    """The answers of a request's JSON body; raises AnswerError for anything malformed."""
    if len(body) > MAX_BYTES:
        raise AnswerError(f"found {len(body)} bytes; needed at most {MAX_BYTES}; send fewer answers at once")
    try:
        data = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
        form = _BODY.validate_python(data)
    except ValidationError as error:
        raise AnswerError(_told(error)) from error
    except RecursionError as error:
        raise AnswerError("found values nested too deeply; needed the body of an answer") from error
    except ValueError as error:
        raise AnswerError(f"found {error}; needed JSON in UTF-8") from error
    return tuple(_record(answer) for answer in form.answers)


def check(study: Study, trial: Trial, answer: Answer) -> None:
    """Raise AnswerError unless the answer fits its trial: every asked scale once, each with a fit value."""
    if answer.trial_id != trial.trial_id:
        raise AnswerError(f"found an answer to trial {answer.trial_id}; needed trial {trial.trial_id}")
    scales = dict(asked_in(study, trial))
    given = {response.scale_id: response for response in answer.responses}
    if len(given) < len(answer.responses):
        raise AnswerError("found a scale twice; needed each once")
    for scale_id in given:
        if scale_id not in scales:
            raise AnswerError(f"{scale_id}: found a scale that is not asked; needed {listed(scales)}")
    for scale_id, scale in scales.items():
        if scale_id not in given:
            raise AnswerError(f"{scale_id}: found no response; needed one for each of {listed(scales)}")
        _check_response(given[scale_id], scale, given)


def not_applicable(scale: Scale, emotion: Response | None) -> bool:
    """Whether a scale is passed over after this emotion; of one that nobody could tell all are."""
    if emotion is None or scale.of != EMOTION:
        return False
    return emotion.status == "cannot_tell" or emotion.label in scale.not_applicable_after


def _check_response(response: Response, scale: Scale, given: Mapping[str, Response]) -> None:
    name = response.scale_id
    first, submit = response.rt_first_ms, response.rt_submit_ms
    if first is not None and submit is not None and first > submit:
        raise AnswerError(
            f"{name}: found the first touch after Next ({first:g} > {submit:g} ms); needed it before"
        )
    allowed = _statuses(scale, passed_over=not_applicable(scale, given.get(EMOTION)))
    if response.status not in allowed:
        raise AnswerError(f"{name}: found the status {response.status!r}; needed {listed(allowed)}")
    if response.status != "answered":
        if response.value is not None or response.label is not None:
            raise AnswerError(f"{name}: found a value; needed none with the status {response.status!r}")
    elif scale.kind == "choice":
        _check_label(response, tuple(scale.options))
    else:
        _check_value(response, scale)


def _statuses(scale: Scale, *, passed_over: bool) -> tuple[ResponseStatus, ...]:
    if passed_over:
        return ("not_applicable",)
    return ("answered", "cannot_tell") if scale.cannot_tell else ("answered",)


def _check_label(response: Response, codes: Sequence[str]) -> None:
    if response.value is not None:
        raise AnswerError(f"{response.scale_id}: found the number {response.value:g}; needed a label alone")
    if response.label not in codes:
        hint = mend(response.label, codes) if response.label else "choose one"
        raise AnswerError(
            f"{response.scale_id}: found {response.label!r}; needed one of {listed(codes)}; {hint}"
        )


def _check_value(response: Response, scale: Scale) -> None:
    low, high = bounds(scale)
    value = response.value
    if response.label is not None:
        raise AnswerError(f"{response.scale_id}: found the label {response.label!r}; needed a number alone")
    if value is None or not low <= value <= high:
        raise AnswerError(f"{response.scale_id}: found {value}; needed a number from {low:g} to {high:g}")
    if scale.kind == "likert" and not float(value).is_integer():
        raise AnswerError(f"{response.scale_id}: found {value:g}; needed a whole number")


def _record(form: _Answer) -> Answer:
    return Answer(
        trial_id=form.trial_id,
        revision=form.revision,
        responses=tuple(Response(**response.model_dump()) for response in form.responses),
        evidence=Evidence(**form.evidence.model_dump()),
    )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"the number {name}")


def _told(error: ValidationError) -> str:
    # The input is not repeated: it may be anything, and long.
    first = error.errors(include_url=False, include_input=False)[0]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    return f"{where.removeprefix('.')[:200] or 'body'}: {first['msg']} ({error.error_count()} errors in all)"
