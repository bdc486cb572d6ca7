"""facenorm models: list, fetch, verify and where, as a user or a script calls them."""

import json
import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import main
from core.settings import PROJECT
from core.vision import digests, weights

NOTICE = weights.entry("emonet-8").notice
# No address answers on this port: a machine without a network.
OFFLINE = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}


@pytest.fixture(autouse=True)
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A user without models and without a network."""
    variables = OFFLINE | {
        "FACENORM_MODELS": str(tmp_path / "models"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
        monkeypatch.delenv(name.lower(), raising=False)
    return variables


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["models", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def agreements(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / "agreements.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def answered(answer: str, *arguments: str) -> tuple[int, str]:
    """Run the command in a terminal whose user types the answer."""
    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "core.cli", "models", *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=PROJECT)
    os.close(theirs)
    os.write(mine, f"{answer}\n".encode())
    said = b""
    try:
        while chunk := os.read(mine, 65536):
            said += chunk
    except OSError:  # Linux says so that the other end is closed
        pass
    os.close(mine)
    return process.wait(), said.decode().replace("\r\n", "\n")


def test_a_script_is_refused_non_commercial_weights_until_it_agrees(tmp_path: Path) -> None:
    said = run("fetch", "emonet-8", code=1).output
    for part in ("CC BY-NC-ND 4.0", NOTICE, "facenorm models fetch --agree emonet-8"):
        assert part in said
    assert agreements(tmp_path / "models") == {}


def test_a_script_that_agrees_is_recorded_and_asked_no_second_time(tmp_path: Path) -> None:
    said = run("fetch", "--agree", "emonet-8", code=1).output  # agreed, but offline
    assert NOTICE in said
    (agreed,) = agreements(tmp_path / "models").items()
    assert (agreed[0], agreed[1]["licence"]) == ("emonet-8", "CC BY-NC-ND 4.0")
    again = run("fetch", "emonet-8", code=1).output
    assert NOTICE not in again
    assert "could not be fetched" in again


def test_nothing_is_fetched_when_one_of_the_licences_is_refused() -> None:
    assert "could not be fetched" not in run("fetch", "yunet", "emonet-5", code=1).output
    assert "did you mean 'emonet-8'" in run("fetch", "--agree", "emonet-5", "emonet8", code=1).output


def test_a_person_is_shown_the_licence_and_asked(tmp_path: Path) -> None:
    code, said = answered("n", "fetch", "emonet-8")
    assert code == 1
    for part in (
        "Licence: CC BY-NC-ND 4.0",
        NOTICE,
        "Do you agree to these terms? [y/N]",
        "nothing was fetched",
    ):
        assert part in said
    assert agreements(tmp_path / "models") == {}

    code, said = answered("y", "fetch", "emonet-8")
    assert code == 1
    assert f"Your agreement is recorded in {tmp_path / 'models' / 'agreements.toml'}" in said
    assert "could not be fetched" in said
    assert list(agreements(tmp_path / "models")) == ["emonet-8"]


def test_without_a_network_address_folder_and_checksum_are_said(tmp_path: Path) -> None:
    said = run("fetch", "emonet-8", "--agree", code=1).output
    (by_hand,) = [line for line in said.splitlines() if line.startswith("Without a network")]
    entry = weights.entry("emonet-8")
    assert f"get {entry.sources[0].url} elsewhere" in by_hand
    assert f"put it into {tmp_path / 'models'}" in by_hand
    assert entry.git_sha1 in by_hand


def test_what_has_no_published_checksum_says_so_without_a_network() -> None:
    said = run("where", "deepface-arcface", code=1).output
    assert "under the name arcface_weights.onnx (no published checksum: the first file" in said


def test_the_way_by_hand_ends_with_the_agreement_where_there_is_none_yet() -> None:
    assert (
        "Then agree to its licence: facenorm models fetch emonet-8" in run("where", "emonet-8", code=1).output
    )
    assert "Then agree" not in run("fetch", "--agree", "emonet-8", code=1).output


def test_a_file_that_was_put_there_by_hand_is_found_and_not_fetched(tmp_path: Path, shared: Path) -> None:
    content = (shared / "models" / "MobileFaceNet.onnx").read_bytes()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "by hand.onnx").write_bytes(content)
    expected = str(tmp_path / "models" / "by hand.onnx")
    assert run("where", "mobilefacenet").output == f"{expected}\n"
    assert run("fetch", "mobilefacenet").output == f"mobilefacenet: {expected}\n"


def test_where_prints_the_folders_or_a_path_and_fails_for_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACENORM_MODELS", f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}")
    assert run("where").output == f"{tmp_path / 'a'}\n{tmp_path / 'b'}\n"
    missing = run("where", "yunet", code=1)
    assert missing.stdout == ""
    assert "facenorm models fetch yunet" in missing.stderr
    assert "did you mean 'yunet'" in run("where", "yunett", code=1).stderr


def test_list_and_verify_tell_what_is_first_seen_held_and_changed(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    path = folder / "ghostfacenet_v1.onnx"
    path.write_bytes(b"the first")
    assert "ghostfacenet: " in run("verify").output
    assert "upstream publishes none" in run("verify").output
    weights.need("deepface-ghostfacenet", [folder])
    assert f"deepface-ghostfacenet: {path} is right" in run("verify").output
    path.write_bytes(b"the other")
    said = run("verify", code=1).output
    assert f"deepface-ghostfacenet: {path} has the wrong checksum" in said
    assert f"delete the table [deepface-ghostfacenet] from {folder / 'first-seen.toml'}" in said


def test_verify_reads_every_file_whatever_is_remembered_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    path, memory = folder / "ghostfacenet_v1.onnx", folder / digests.FILE
    path.write_bytes(b"a" * digests.KEPT_FROM_BYTES)
    weights.need("deepface-ghostfacenet", [folder])
    path.write_bytes(b"b" * digests.KEPT_FROM_BYTES)
    kept = json.loads(memory.read_text())
    kept[str(path)]["state"] = digests._state(path)  # as if the file were the one of before
    memory.write_text(json.dumps(kept))
    assert run("where", "deepface-ghostfacenet").output == f"{path}\n"
    assert f"deepface-ghostfacenet: {path} has the wrong checksum" in run("verify", code=1).output


def test_list_says_which_files_wait_for_an_agreement(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    path = folder / "vgg_face_weights.onnx"
    path.write_bytes(b"the first")
    said = run("list").output
    assert (
        f"{path}, but nobody has agreed to its licence yet: facenorm models fetch deepface-vgg-face" in said
    )
    run("fetch", "--agree", "deepface-vgg-face")
    assert f"    {path}\n" in run("list").output
    assert run("where", "deepface-vgg-face").output == f"{path}\n"
