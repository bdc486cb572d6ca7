import dataclasses
import threading

import pytest
from sqlalchemy import func, select

from core.errors import StudyError
from db import audit, pictures, schema, sessions, studies
from db import engine as db_engine


def test_loading_the_same_content_twice_gives_the_same_version(lab):
    with db_engine.writing(lab.engine) as conn:
        first = lab.load(conn)
        assert lab.load(conn) == first
        assert studies.listing(conn) == (first,)
    assert (first.version, first.state, first.opened_at) == (1, "loaded", None)
    assert first.title == "Faces 얼굴"


def test_other_content_is_the_next_version_of_its_study_alone(lab):
    with db_engine.writing(lab.engine) as conn:
        lab.load(conn, content="first")
        second = lab.load(conn, content="second")
        other = lab.load(conn, study_id="another")
        assert (second.version, other.version) == (2, 1)
        assert studies.latest(conn, "demo") == second
        assert studies.latest(conn, "nobody") is None
        assert [(v.study_id, v.version) for v in studies.listing(conn)] == [
            ("another", 1),
            ("demo", 2),
            ("demo", 1),
        ]


def test_replicas_that_load_at_once_make_one_version(lab):
    found, problems = [], []

    def load() -> None:
        try:
            with db_engine.writing(lab.engine) as conn:
                found.append(lab.load(conn))
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert {version.version for version in found} == {1}


def store(lab, found):
    return studies.store(
        lab.engine,
        study_id="demo",
        config_hash="a" * 64,
        title="Faces 얼굴",
        content="{}",
        source_yaml="study: demo",
        stimuli=lab.stimuli(),
        pictures=found,
        who="ada",
    )


def stored_pictures(lab):
    with db_engine.reading(lab.engine) as conn:
        return conn.scalar(select(func.count()).select_from(schema.blob))


def test_a_stored_study_has_its_pictures_its_stimuli_and_who_loaded_it(lab):
    version = store(lab, lab.pictures())
    with db_engine.reading(lab.engine) as conn:
        assert studies.latest(conn, "demo") == version
        assert studies.stimuli(conn, version.config_hash) == lab.stimuli()
        assert all(pictures.get(conn, one.served_sha256) for one in lab.stimuli())
        entries = [(entry.who, entry.what, entry.detail) for entry in audit.read(conn)]
    assert entries == [("ada", "study loaded", "demo version 1")]


def test_others_write_while_a_picture_is_decoded_and_see_batches_of_sixteen(lab):
    seen = []

    def slowly_decoded():
        for picture in lab.pictures(20):
            # Inside a transaction of the loader this would wait for it, and it for this.
            with db_engine.writing(lab.engine) as conn:
                audit.write(conn, "bob", "something else")
            seen.append(stored_pictures(lab))
            yield picture

    store(lab, slowly_decoded())
    assert seen == [0] * 16 + [16] * 16 + [32] * 8
    assert stored_pictures(lab) == 40


def test_a_load_that_fails_half_way_leaves_no_version_and_can_be_repeated(lab):
    def broken():
        yield from lab.pictures(10)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        store(lab, broken())
    with db_engine.reading(lab.engine) as conn:
        assert studies.listing(conn) == ()
        assert audit.read(conn) == ()
    assert store(lab, lab.pictures(10)).version == 1
    assert stored_pictures(lab) == 20


def test_pictures_of_a_version_that_is_there_are_not_read_again(lab):
    version = store(lab, lab.pictures())
    untouched = lab.pictures()
    assert store(lab, untouched) == version
    assert len(list(untouched)) == 12


def test_stimuli_come_back_as_they_were_loaded(lab):
    version = lab.open()
    with db_engine.reading(lab.engine) as conn:
        assert studies.stimuli(conn, version.config_hash) == lab.stimuli()
        assert studies.stimuli(conn, "0" * 64) == ()


def test_a_duplicate_picture_in_a_version_is_refused(lab):
    first, second, *_ = lab.stimuli()
    twin = dataclasses.replace(second, served_sha256=first.served_sha256)
    with pytest.raises(Exception, match=r"(?i)unique"), db_engine.writing(lab.engine) as conn:
        studies.load(
            conn,
            study_id="demo",
            config_hash="a" * 64,
            title="",
            content="{}",
            source_yaml="",
            stimuli=[first, twin],
            pictures=lab.pictures(),
        )
    with db_engine.reading(lab.engine) as conn:
        assert studies.listing(conn) == ()


def test_opening_a_version_closes_the_one_before(lab):
    first, second = lab.open(content="first"), lab.open(content="second")
    with db_engine.reading(lab.engine) as conn:
        assert studies.open_version(conn, "demo") == second
        closed = studies.get(conn, first.config_hash)
    assert second.state == "open"
    assert closed.state == "closed"
    assert first.opened_at == closed.opened_at <= closed.closed_at


def test_a_version_opens_again_in_another_phase(lab):
    version = lab.open()
    with db_engine.writing(lab.engine) as conn:
        assert studies.close(conn, version.config_hash).state == "closed"
        assert studies.open_version(conn, "demo") is None
        again = studies.open_(conn, version.config_hash, phase="pilot")
    assert (again.state, again.phase, again.closed_at) == ("open", "pilot", None)
    assert again.opened_at == version.opened_at


def test_an_unknown_version_is_named(lab):
    with db_engine.writing(lab.engine) as conn:
        for act in (
            lambda: studies.open_(conn, "f" * 64, phase="live"),
            lambda: studies.close(conn, "f" * 64),
        ):
            with pytest.raises(StudyError, match=r"ffffffffffff.*facenorm study load"):
                act()


def test_a_link_is_made_once_and_names_its_kind(lab):
    lab.open()
    with db_engine.writing(lab.engine) as conn:
        preview = studies.make_link(conn, "demo", "preview")
        simulated = studies.make_link(conn, "demo", "simulated")
        assert studies.make_link(conn, "demo", "preview") == preview != simulated
        assert studies.link_kind(conn, "demo", preview) == "preview"
        assert studies.link_kind(conn, "demo", simulated) == "simulated"
        assert studies.link_kind(conn, "another", preview) is None
        assert studies.link_kind(conn, "demo", "") is None
        with pytest.raises(StudyError, match="'nobody' is not in the database"):
            studies.make_link(conn, "nobody", "preview")
        with pytest.raises(StudyError, match="kind 'secret' is unknown"):
            studies.make_link(conn, "demo", "secret")


def test_a_picture_is_seen_by_the_session_whose_trials_show_it(lab):
    version = lab.open()
    _, token = lab.begin(version, plan=lab.plan(2))
    _, other = lab.begin(version, plan=lab.plan(1))
    reference, first, second, *_ = (one.served_sha256 for one in lab.stimuli())
    with db_engine.reading(lab.engine) as conn:
        assert pictures.allowed(conn, token) == {reference, first, second}
        assert pictures.allowed(conn, other) == {reference, first}
        assert pictures.allowed(conn, "nobody") == frozenset()


def test_a_picture_comes_back_byte_for_byte(lab):
    lab.open()
    first = lab.stimuli()[0]
    with db_engine.reading(lab.engine) as conn:
        found = pictures.get(conn, first.served_sha256)
        assert pictures.get(conn, "0" * 64) is None
    assert found in list(lab.pictures())


def test_flow_counts_each_kind_and_phase_apart(lab):
    version = lab.open()
    with db_engine.writing(lab.engine) as conn:
        for what in ("opened", "opened", "opened", "declined"):
            sessions.tally(conn, version.config_hash, what)
        sessions.tally(conn, version.config_hash, "opened", kind="preview")
    done, _ = lab.begin(version)
    lab.begin(version)
    lab.begin(version, kind="simulated")
    lab.answer_all(done)
    with db_engine.writing(lab.engine) as conn:
        sessions.complete(conn, done.session_id)
        assert sessions.flow(conn, "demo") == sessions.Flow(opened=3, declined=1, began=2, completed=1)
        assert sessions.flow(conn, "demo", kind="simulated").began == 1
        assert sessions.flow(conn, "demo", phase="pilot") == sessions.Flow(0, 0, 0, 0)
        assert sessions.flow(conn, "demo", config_hash="0" * 64) == sessions.Flow(0, 0, 0, 0)
