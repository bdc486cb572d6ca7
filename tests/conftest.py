"""What all tests share."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real weights, faces and ratings that the project does not contain."""
    folder = Path(os.environ.get("FACENORM_SHARED") or PROJECT.parent / "shared").resolve()
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing: set FACENORM_SHARED to the folder of shared test data")
    return folder
