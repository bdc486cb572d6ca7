"""The errors that Facenorm raises on purpose.

    FacenormError
    |-- StudyError        a study file, its manifest or a scale is not usable
    |-- StimulusError     a picture cannot be read, decoded or served
    |-- AnswerError       a participant's answer does not fit its trial
    |   |-- ConflictError an answer for this trial and revision is already stored with another body
    |   `-- EndedError    its session was stopped or screened out
    |-- SessionError      a session cannot begin, continue or be found
    |-- AgreementError    a statistic cannot be computed from these data
    |-- ModelError        weights are missing or wrong, or a rater or detector is unknown
    |-- DatabaseError     the database is newer than the program, locked or not reachable
    |-- LoginError        wrong name or password, or too many attempts
    `-- ExportError       an export, backup or restore cannot be written

Every message says what was found, what is needed and how to mend it.
"""


class FacenormError(Exception):
    """Base of every error that a user can mend; its text is shown to them as it is."""


class StudyError(FacenormError):
    """A study file, its manifest or one of its scales is not usable."""


class StimulusError(FacenormError):
    """A picture cannot be read, decoded or served."""


class AnswerError(FacenormError):
    """A participant's answer does not fit its trial."""


class ConflictError(AnswerError):
    """An answer for this trial and revision is already stored with another body."""


class EndedError(AnswerError):
    """An answer came after its session was stopped or screened out."""


class SessionError(FacenormError):
    """A session cannot begin, continue or be found."""


class AgreementError(FacenormError):
    """A statistic cannot be computed from these data."""


class ModelError(FacenormError):
    """Weights are missing or wrong, or a rater or detector is unknown."""


class DatabaseError(FacenormError):
    """The database is newer than the program, locked or not reachable."""


class LoginError(FacenormError):
    """A wrong name or password, or too many attempts; then wait_min says how long to wait."""

    def __init__(self, message: str, *, wait_min: int | None = None) -> None:
        super().__init__(message)
        self.wait_min = wait_min


class ExportError(FacenormError):
    """An export, a backup or a restore cannot be written."""
