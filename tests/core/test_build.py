import re

from core import build


def test_a_build_is_the_release_and_the_hash_of_its_scripts_and_styles():
    assert re.fullmatch(r"\d+(\.\d+)+[a-z0-9]*\+[0-9a-f]{16}", build.APP)
    assert build.name(build.APP.partition("+")[0], build.FOLDERS) == build.APP


def test_any_changed_byte_or_name_is_another_build(tmp_path):
    (tmp_path / "a.js").write_text("one")
    (tmp_path / "b.js").write_text("two")
    before = build.name("1", (tmp_path,))
    (tmp_path / "b.js").write_text("tw0")
    changed = build.name("1", (tmp_path,))
    (tmp_path / "b.js").rename(tmp_path / "c.js")
    renamed = build.name("1", (tmp_path,))
    assert len({before, changed, renamed, build.name("2", (tmp_path,))}) == 4
