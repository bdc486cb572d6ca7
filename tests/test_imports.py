"""The layers of docs/architecture.md, held true by walking the imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
OURS = ("app", "pages", "core", "db")
FILES = [PROJECT / "app.py", *(path for name in OURS[1:] for path in sorted((PROJECT / name).rglob("*.py")))]


def module(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            # `from db import engine` may name a module or a thing in it: both spellings count.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inside(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def allowed(source: str, target: str) -> bool:
    if source == "app":
        return inside(target, "pages")
    if inside(source, "pages.api"):
        return inside(target, "core", "db", "pages.api") and not inside(target, "core.cli")
    if inside(source, "pages"):
        return inside(target, "core", "db", "pages") and not inside(target, "core.cli")
    if inside(source, "db"):
        return inside(target, "core.records", "core.errors", "db")
    if inside(source, "core.agreement"):
        return inside(target, "core") and not inside(target, "core.vision", "core.cli")
    if inside(source, "core.vision"):
        return inside(target, "core") and not inside(target, "core.agreement", "core.cli")
    return inside(target, "core") or (inside(source, "core.cli") and inside(target, "db"))


@pytest.mark.parametrize("path", FILES, ids=module)
def test_every_import_respects_the_layers(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [name for name in imports(tree) if inside(name, *OURS) and not allowed(module(path), name)]
    assert not wrong


@pytest.mark.parametrize("path", [path for path in FILES if module(path).startswith("core")], ids=module)
def test_core_knows_neither_streamlit_nor_sql(path: Path):
    names = list(imports(ast.parse(path.read_text(encoding="utf-8"))))
    assert not [name for name in names if inside(name, "streamlit", "alembic")]
    assert inside(module(path), "core.cli") or not [name for name in names if inside(name, "sqlalchemy")]


def test_routes_import_no_streamlit():
    for path in (PROJECT / "pages" / "api").rglob("*.py"):
        assert not [
            name for name in imports(ast.parse(path.read_text(encoding="utf-8"))) if inside(name, "streamlit")
        ]


def test_the_command_imports_db_only_inside_its_commands():
    for path in (PROJECT / "core" / "cli").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        at_start = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        heavy = ("db", "sqlalchemy", "pandas", "torch", "cv2")
        assert not [name for node in at_start for name in imports(node) if inside(name, *heavy)]


def test_only_one_file_touches_the_session_state():
    users = [path for path in FILES if "st.session_state" in code(path)]
    assert users == [PROJECT / "pages" / "ui" / "session.py"]


def code(path: Path) -> str:
    return ast.unparse(ast.parse(path.read_text(encoding="utf-8")))
