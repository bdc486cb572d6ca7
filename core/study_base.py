"""What every part of a study is made of: the strict base model and the kinds of text.

docs/studies.md describes each setting.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from core import study_rules
from core.codes import listed, mend
from core.given import Data, Problems
from core.study_rules import Declared


def _known(language: str) -> str:
    if language not in study_rules.LANGUAGES:
        needed = f"one with a catalogue in assets/i18n ({listed(study_rules.LANGUAGES)})"
        raise _problem(f"found {language!r}; needed {needed}; {mend(language, study_rules.LANGUAGES)}")
    return language


def _complete(text: dict[Language, str], info: ValidationInfo) -> dict[Language, str]:
    languages = info.context.languages if isinstance(info.context, Declared) else ()
    missing = [language for language in languages if language not in text]
    if missing:
        add = ", ".join(f"'{language}:'" for language in missing)
        raise _problem(f"found no text in {', '.join(missing)}; needed all of the study's; add {add}")
    return text


def _problem(text: str) -> PydanticCustomError:
    # The text is no template: it may hold braces.
    return PydanticCustomError("study", "{text}", {"text": text})


Language = Annotated[str, AfterValidator(_known)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Text = Annotated[dict[Language, Words], AfterValidator(_complete)]  # one entry per language of the study
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Options = Annotated[
    dict[Code, Text],
    BeforeValidator(study_rules.ordered),
    PlainSerializer(lambda options: [[code, text] for code, text in options.items()], when_used="json"),
]


class Model(BaseModel):
    """Base of the study's models: frozen, strict, and unknown keys are errors.

    Only tuples are not strict: YAML and JSON have lists.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """What must hold between this model's settings."""
        del data, known
        return iter(())

    @model_validator(mode="wrap")
    @classmethod
    def _with_rules(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        known = info.context if isinstance(info.context, Declared) else study_rules.declared(data)
        errors = [
            InitErrorDetails(type=_problem(text), loc=loc, input=None)
            for loc, text in (cls.rules(data, known) if isinstance(data, dict) else ())
        ]
        model = None
        try:
            model = handler(data)
        except ValidationError as error:
            errors += map(_again, error.errors(include_url=False))
        if model is None or errors:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return model


def _again(error: Any) -> InitErrorDetails:
    """An error as pydantic takes it back."""
    kind = _problem(error["ctx"]["text"]) if error["type"] == "study" else error["type"]
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=error.get("ctx", {}))
