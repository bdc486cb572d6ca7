"""The rater of one's own in docs/models.md does what is said there."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from core.settings import PROJECT
from core.vision import rate, registry


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    text = (PROJECT / "docs" / "models.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text.partition("### A rater of your own")[2], re.DOTALL)
    path = tmp_path / "mouth_gap.py"
    path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("mouth_gap", path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_documented_rater_rates_real_faces(
    module: ModuleType, faces: dict[str, bytes], folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {entry.declaration.rater_id: entry for entry in module.ENTRIES}
    monkeypatch.setattr(registry, "RATERS", {**registry.RATERS, **entries})
    found = rate([faces["img9.jpg"], b"broken"], ["mouth-gap"], detector="yunet", folders=folders)
    assert [one.status for one in found] == ["ok", "unreadable"]
    (score,) = found[0].scores
    assert score.value is not None
    assert 0 <= score.value < 0.3
