import json

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def examples(shared):
    """Worked examples from the literature: data with printed and recomputed values."""
    return json.loads((shared / "reference" / "agreement.json").read_text())


@pytest.fixture(scope="session")
def faces(shared):
    """Real ratings of faces by sex and trait as arrays of shape (raters, stimuli), raters by sorted id."""
    ratings = pd.read_csv(shared / "ratings" / "3dsk_ratings_long.csv")
    return {
        f"{sex}_{trait}": some.pivot(index="rater_id", columns="face_id", values="rating").to_numpy(
            dtype=float
        )
        for (sex, trait), some in ratings.groupby(["face_gender", "trait"])
    }


@pytest.fixture(scope="session")
def replicates(examples):
    """irrICC's incomplete example as long arrays: rater, target, value."""
    rows = examples["canonical"]["irrICC_iccdata1_incomplete"]["data"]
    long = [(judge, row[0], value) for row in rows for judge, value in enumerate(row[1:], 1) if value]
    return tuple(np.array(column, dtype=float) for column in zip(*long, strict=True))
