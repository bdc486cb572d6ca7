from core.records import Detection, Face
from db import detections
from db import engine as db_engine

FACE = Face(10.5, 20.25, 100.0, 120.0, None, ((1.5, 2.0), (3.0, 4.0)), "yunet", "v1", "largest of 2", 2)
SEEN = Detection("a" * 64, "yunet", "v1", "ok", "largest of 2", FACE)
BLIND = Detection("b" * 64, "yunet", "v1", "no_face", "yunet found no face")


def _known(lab, version="v1"):
    many = ["a" * 64, "b" * 64, *(f"{n:064x}" for n in range(1200))]
    with db_engine.reading(lab.engine) as conn:
        return detections.known(conn, many, detector="yunet", detector_version=version)


def test_a_face_comes_back_as_it_was_found_and_so_does_none(lab):
    with db_engine.writing(lab.engine) as conn:
        detections.save(conn, [SEEN, BLIND])
        detections.save(conn, [])
    assert _known(lab) == {SEEN.served_sha256: SEEN, BLIND.served_sha256: BLIND}


def test_the_first_detection_stays_and_another_version_is_another(lab):
    with db_engine.writing(lab.engine) as conn:
        detections.save(conn, [SEEN])
        detections.save(conn, [Detection("a" * 64, "yunet", "v1", "no_face", "changed its mind")])
    assert _known(lab) == {SEEN.served_sha256: SEEN}
    assert _known(lab, "v2") == {}
