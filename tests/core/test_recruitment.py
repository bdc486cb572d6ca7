from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import recruitment, study
from core.errors import StudyError
from tests import variants

TYPED = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=60)


def parsed(settings: str):
    return study.parse(variants.one_block() + f"\nrecruitment: {{{settings}}}\n", path="demo.yaml")


PROLIFIC = parsed("route: prolific, complete_url: 'https://app.prolific.com/submissions/complete?cc={code}'")
PANEL = parsed(
    "route: panel, keep: [sub], complete_url: 'https://panel.example/c?id={external_id}&sub={sub}', "
    "screen_out_url: 'https://panel.example/s/{external_id}', quota_url: 'https://panel.example/q#{external_id}'"
)
LAB = parsed("route: lab")
MTURK = parsed("route: mturk")
PLAIN = parsed("route: plain")


def came(one, **query):
    return recruitment.arrive(one, {name: [value] for name, value in query.items()})


def test_a_link_brings_the_id_and_the_routes_own_parameters_and_nothing_else():
    found = came(PROLIFIC, PROLIFIC_PID="5f3e9a", STUDY_ID="s1", SESSION_ID="x2", utm_source="mail")
    assert (found.external_id, found.kept, found.problem) == (
        "5f3e9a",
        {"STUDY_ID": "s1", "SESSION_ID": "x2"},
        None,
    )


@pytest.mark.parametrize("given", ["", "  ", "{{%PROLIFIC_PID%}}", "%SURVEY_CODE%", "${workerId}", "[ID]"])
def test_an_id_that_no_platform_filled_in_is_none(given):
    assert came(PROLIFIC, PROLIFIC_PID=given).problem == "incomplete"


@pytest.mark.parametrize("one", [PROLIFIC, PANEL, LAB, MTURK, parsed("route: sona")])
def test_every_route_with_an_id_needs_it(one):
    assert came(one).problem == "incomplete"


@pytest.mark.parametrize("one", [PLAIN, parsed("route: codes, code: pool")])
def test_the_same_link_for_everybody_needs_no_id(one):
    assert came(one, id="5", PROLIFIC_PID="7") == recruitment.Arrival()


def test_a_study_may_name_an_id_on_any_route():
    own = parsed("route: codes, external_id: worker")
    assert came(own).problem == "incomplete"
    assert came(own, worker="w1").external_id == "w1"


@pytest.mark.parametrize("given", ["x" * 201, "two words", "a\tb", "a\nb", "a\u200bb", "a\x00b", "a\u2028b"])
def test_an_id_that_nobody_can_have_damages_the_link(given):
    assert came(PROLIFIC, PROLIFIC_PID=given).problem == "damaged"


def test_an_id_given_twice_counts_once_and_two_ids_damage_the_link():
    assert recruitment.arrive(PROLIFIC, {"PROLIFIC_PID": ["a", "a", ""]}).external_id == "a"
    assert recruitment.arrive(PROLIFIC, {"PROLIFIC_PID": ["a", "b"]}).problem == "damaged"


def test_a_kept_parameter_may_be_missing_and_must_not_be_endless():
    assert came(PANEL, id="a").kept == {}
    assert came(PANEL, id="a", sub="x" * 501).problem == "damaged"


def test_a_kept_parameter_may_hold_blanks_and_no_control_characters():
    assert came(PANEL, id="a", sub=" New York ").kept == {"sub": "New York"}
    assert came(PANEL, id="a", sub="New\nYork").problem == "damaged"
    assert came(PANEL, id="a", sub="New\u2028York").problem == "damaged"


def test_in_a_lab_kept_parameters_stay_as_they_are():
    found = came(parsed("route: lab, keep: [room]"), code="p 1", room="East ｗing")
    assert (found.external_id, found.kept) == ("P1", {"room": "East ｗing"})


@pytest.mark.parametrize("given", ["[SUB]", "[SUB_1]", "[SUB-2]", "[%SUB%]"])
def test_a_kept_parameter_that_no_platform_filled_in_is_not_stored(given):
    assert came(PANEL, id="a", sub=given).kept == {}


def test_a_kept_parameter_in_brackets_is_kept():
    assert came(PANEL, id="a", sub="[12]").kept == {"sub": "[12]"}


def test_an_mturk_worker_who_only_looks_has_not_accepted():
    unaccepted = came(MTURK, assignmentId="ASSIGNMENT_ID_NOT_AVAILABLE", hitId="h")
    assert unaccepted.problem == "unaccepted"
    found = came(MTURK, workerId="A1", assignmentId="B2", hitId="h")
    assert (found.external_id, found.kept) == ("A1", {"assignmentId": "B2", "hitId": "h"})


@pytest.mark.parametrize("typed", ["P01", "p01", " p 01 ", "Ｐ０１", "ｐ０１"])
def test_a_code_typed_in_a_lab_is_the_same_however_it_is_typed(typed):
    assert came(LAB, code=typed).external_id == "P01"


def test_other_routes_give_the_id_back_exactly():
    assert came(PANEL, id="aB-Ｃ").external_id == "aB-Ｃ"


# What a browser and a platform's server make of the address is read by urllib, which is not ours.
@given(external_id=TYPED, sub=TYPED)
def test_what_goes_into_an_address_back_comes_out_of_it(external_id, sub):
    kept = {"sub": sub}
    complete = urlsplit(recruitment.return_url(PANEL, "complete", external_id, "C", kept))
    assert (complete.scheme, complete.netloc, complete.path) == ("https", "panel.example", "/c")
    assert parse_qs(complete.query, strict_parsing=True) == {"id": [external_id], "sub": [sub]}
    full = urlsplit(recruitment.return_url(PANEL, "full", external_id, "C", kept))
    assert parse_qs(f"id={full.fragment}") == {"id": [external_id]}


def test_each_outcome_has_its_own_way_back():
    ways = {
        outcome: recruitment.return_url(PANEL, outcome, "a b/c", "C", {})
        for outcome in ("complete", "screened_out", "full", "stopped")
    }
    assert ways == {
        "complete": "https://panel.example/c?id=a%20b%2Fc&sub=",
        "screened_out": "https://panel.example/s/a%20b%2Fc",
        "full": "https://panel.example/q#a%20b%2Fc",
        "stopped": None,
    }


def test_an_address_that_needs_an_unknown_id_is_none():
    assert recruitment.return_url(PANEL, "complete", None, "C", {}) is None
    assert recruitment.return_url(PLAIN, "complete", None, "C", {}) is None
    assert recruitment.return_url(PROLIFIC, "complete", None, "C/1", {}).endswith("?cc=C%2F1")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("complete_url: 'https://x.example/?id={external_id}'", "found {external_id}"),
        ("route: panel, complete_url: 'https://x.example/?id={PID}'", "found {PID}"),
        (
            "route: panel, complete_url: 'https://{id}.example/', keep: [id2]",
            "placeholder in the site's name",
        ),
        ("complete_url: 'javascript:alert(1)'", "complete_url"),
        ("route: panel, complete_url: 'https://{external_id}?x=1'", "placeholder in the site's name"),
        ("route: panel, complete_url: 'https:///c?id={external_id}'", "without a site's name"),
        ("keep: [lang]", "has a meaning already"),
        ("keep: [erase]", "has a meaning already"),
        ("external_id: minutes", "which the pages use"),
        ("route: lab, keep: [code]", "has a meaning already"),
        ("external_id: study", "which the pages use"),
        ("keep: [a, a]", "again"),
    ],
)
def test_an_address_or_parameter_that_cannot_work_is_refused_when_the_study_is_read(settings, said):
    with pytest.raises(StudyError, match=r"demo\.yaml:") as error:
        parsed(settings)
    assert said in str(error.value)


@pytest.mark.parametrize("rest", ["?id={external_id}", "#{external_id}", "/{external_id}"])
def test_a_placeholder_may_follow_the_sites_name_at_once(rest):
    one = parsed(f"route: panel, complete_url: 'https://panel.example{rest}'")
    back = recruitment.return_url(one, "complete", "a", "C", {})
    assert back == "https://panel.example" + rest.replace("{external_id}", "a")


def test_links_carry_the_platforms_placeholders():
    base = "https://faces.example.org/"
    # As Prolific and Sona Systems write them in their help pages on URL parameters.
    assert recruitment.link(PROLIFIC, base) == (
        "https://faces.example.org/?study=demo&PROLIFIC_PID={{%PROLIFIC_PID%}}"
        "&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )
    assert recruitment.link(parsed("route: sona"), base).endswith("?study=demo&survey_code=%SURVEY_CODE%")
    assert recruitment.link(PANEL, base).endswith("?study=demo&id=[ID]&sub=[SUB]")
    assert recruitment.link(LAB, base) == recruitment.link(PLAIN, base) == f"{base}?study=demo"
    assert 'href="https://faces.example.org/?study=demo&amp;"' in recruitment.hit(MTURK, base)


@pytest.mark.parametrize("one", [PROLIFIC, PANEL, parsed("route: sona")])
def test_a_link_opened_as_it_was_pasted_begins_nothing(one):
    query = parse_qs(urlsplit(recruitment.link(one, "https://x.example")).query)
    assert recruitment.arrive(one, query).problem == "incomplete"


@pytest.mark.parametrize(
    ("user_agent", "app"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Safari Line/14.1.0",
            "line",
        ),
        ("Mozilla/5.0 (Linux; Android 13; SM-S911N; wv) Chrome/120 Mobile KAKAOTALK 10.4.5", "kakaotalk"),
        ("Mozilla/5.0 (iPhone) Mobile/15E148 Instagram 300.0.0.29.110 (iPhone14,5; FBAN/FBIOS)", "instagram"),
        ("Mozilla/5.0 (iPhone) Mobile/15E148 [FBAN/FBIOS;FBAV/440.0.0.25.106;FBBV/537218161]", "facebook"),
        ("Mozilla/5.0 (Linux; Android 13; wv) Chrome/120 [FB_IAB/FB4A;FBAV/440.0.0.30.107;]", "facebook"),
        ("Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36", None),
        ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/120.0 Offline/1", None),
        ("", None),
    ],
)
def test_an_apps_own_browser_is_known_by_what_it_calls_itself(user_agent, app):
    assert recruitment.in_app(user_agent) == app
