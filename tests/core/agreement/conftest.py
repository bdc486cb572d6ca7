import json

import pytest


@pytest.fixture(scope="session")
def examples(shared):
    """Worked examples from the literature: data with printed and recomputed values."""
    return json.loads((shared / "reference" / "agreement.json").read_text())
