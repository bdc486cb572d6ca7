"""Scripts that a page joins from several files."""

import re

import pytest

from core.settings import PROJECT
from pages import instructions, rate
from pages.ui import questions, text

JOINED = {
    "trials": [f"trial/{part}.js" for part in rate._PARTS],
    "instructions": instructions._SCRIPTS,
    "questions": questions._SCRIPTS,
    "pages": text._SCRIPTS,
}
DECLARED = re.compile(r"^(?:export default )?(?:const|let|class|(?:async )?function) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("page", JOINED)
def test_no_name_is_declared_in_two_files(page):
    """A browser would run none of the script."""
    script = "\n".join((PROJECT / "assets" / name).read_text("utf-8") for name in JOINED[page])
    names = DECLARED.findall(script)
    assert len(names) > 10
    assert sorted(set(names)) == sorted(names)
