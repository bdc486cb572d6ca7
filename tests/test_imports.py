"""The layers of docs/architecture.md, held true by walking the imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
OURS = ("app", "pages", "core", "db")
FILES = [PROJECT / "app.py", *(path for name in OURS[1:] for path in sorted((PROJECT / name).rglob("*.py")))]


# What a layer may import, and what of that not after all; the first that fits a module counts.
LAYERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "app": (("pages",), ()),
    "pages.api": (("core", "db", "pages.api"), ()),
    "pages": (("core", "db", "pages"), ()),
    "db": (("core.records", "core.errors", "db"), ()),
    "core.agreement": (("core",), ("core.vision",)),
    "core.vision": (("core",), ("core.agreement",)),
    "core.cli": (("core", "db"), ()),
    "core": (("core",), ()),
}


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
    if inside(target, "core.cli"):
        return inside(source, "core.cli")
    layer = next(name for name in LAYERS if inside(source, name))
    may, may_not = LAYERS[layer]
    return inside(target, *may) and not inside(target, *may_not)


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
