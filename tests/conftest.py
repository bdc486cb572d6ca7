"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run: what fails was broken by the change at hand. New ones are looked for with
# 'pytest --hypothesis-profile=default'.
settings.register_profile("steady", derandomize=True)
settings.load_profile("steady")

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real weights, faces and ratings that the project does not contain."""
    folder = Path(os.environ.get("FACENORM_SHARED") or PROJECT.parent / "shared").resolve()
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing: set FACENORM_SHARED to the folder of shared test data")
    return folder
