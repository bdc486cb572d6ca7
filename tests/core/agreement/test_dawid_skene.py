import numpy as np
import pytest

from core.agreement import dawid_skene
from core.errors import AgreementError


@pytest.fixture(scope="module")
def patients(examples):
    example = examples["canonical"]["dawid_skene_1979"]
    votes = [
        (int(observer), int(patient), label)
        for patient, observers in example["data"].items()
        for observer, labels in observers.items()
        for label in labels
    ]
    return tuple(zip(*votes, strict=True)), example


def test_it_matches_dawid_and_skene_1979_with_an_observer_who_read_three_times(patients):
    (rater, stimulus, value), example = patients
    found = dawid_skene.consensus(rater, stimulus, value)
    exact = example["verified"]
    assert found.prevalence.round(2).tolist() == example["expected_published"]["class_marginals"]
    assert found.prevalence == pytest.approx(exact["class_marginals"], abs=1e-6)
    assert found.error_rates == pytest.approx(np.array(exact["error_rates"]), abs=1e-6)
    assert found.log_likelihood == pytest.approx(exact["log_likelihood_no_multinomial_const"], abs=1e-6)
    assert list(found.modal) == exact["map_labels"]
    for patient, expected in exact["soft_patients"].items():
        posterior = found.posterior[found.stimuli.index(int(patient))]
        assert posterior == pytest.approx(expected, abs=1e-6)
    assert found.n_ratings == 45 * 7


def test_the_likelihood_rises_until_it_converges_and_not_for_two_steps_alone(patients):
    (rater, stimulus, value), example = patients
    loose = dawid_skene.consensus(rater, stimulus, value, tolerance=10)
    found = dawid_skene.consensus(rater, stimulus, value)
    assert found.log_likelihood > loose.log_likelihood
    assert found.steps == pytest.approx(25, abs=1)
    assert "25 iterations" in example["verified"]["em"]


def planted(rng, raters=20, stimuli=200):
    errors = rng.dirichlet([1, 1, 1], size=(raters, 3)) * 0.4 + np.eye(3) * 0.6
    truth = rng.choice(3, size=stimuli, p=[0.5, 0.3, 0.2])
    rater, stimulus = np.nonzero(rng.random((raters, stimuli)) < 0.5)
    value = np.array([rng.choice(3, p=errors[k, truth[i]]) for k, i in zip(rater, stimulus, strict=True)])
    return rater, stimulus, value, truth, errors


def test_planted_confusions_prevalences_and_labels_are_recovered():
    rater, stimulus, value, truth, errors = planted(np.random.default_rng(0))
    found = dawid_skene.consensus(rater, stimulus, value)
    assert np.mean(np.array(found.modal) == truth) > 0.97
    # A row rests on about 20 to 50 ratings, whose shares have standard errors of .11 at most.
    assert np.abs(found.error_rates - errors).mean() < 0.06
    assert np.abs(found.prevalence - np.bincount(truth) / 200).max() < 0.03


def test_counted_votes_and_names_give_what_single_votes_give(patients):
    (rater, stimulus, value), _ = patients
    one = dawid_skene.consensus(rater, stimulus, value)
    votes = sorted(set(zip(rater, stimulus, value, strict=True)))
    n = [list(zip(rater, stimulus, value, strict=True)).count(vote) for vote in votes]
    names = {1: "a", 2: "b", 3: "c", 4: "d"}
    k, i, label = zip(*votes, strict=True)
    other = dawid_skene.consensus(k, i, [names[one] for one in label], n=n)
    assert other.posterior == pytest.approx(one.posterior, abs=1e-9)
    assert other.labels == ("a", "b", "c", "d")


def test_raters_who_all_agree_leave_no_doubt():
    found = dawid_skene.consensus([1, 2, 1, 2], [1, 1, 2, 2], ["x", "x", "y", "y"], labels=["x", "y", "z"])
    assert found.posterior.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert found.error_rates[0, 2].tolist() == pytest.approx([1 / 3] * 3)  # nothing was z


def test_what_has_no_consensus_is_refused():
    with pytest.raises(AgreementError, match="no ratings yet"):
        dawid_skene.consensus([], [], [])
    with pytest.raises(AgreementError, match="1 label is in use"):
        dawid_skene.consensus([1], [1], ["x"])
    with pytest.raises(AgreementError, match="-1 is not among the labels 0, 1"):
        dawid_skene.consensus([1, 1], [1, 2], [0, -1], labels=[0, 1])
    with pytest.raises(AgreementError, match="did not converge"):
        dawid_skene.consensus(*planted(np.random.default_rng(1))[:3], tolerance=-1)
