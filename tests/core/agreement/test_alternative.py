import numpy as np
import pytest
from scipy import stats

from core.agreement.alternative import alternative_test
from core.errors import AgreementError


def numbers(rng, raters=6, stimuli=50, model=1.0, missing=0.2):
    truth = rng.normal(size=stimuli)
    values = truth + rng.normal(size=(raters, stimuli))
    return np.where(rng.random(values.shape) < missing, np.nan, values), truth + rng.normal(0, model, stimuli)


def choices(rng, raters=6, stimuli=60, accuracy=0.6):
    truth = rng.integers(4, size=stimuli)

    def answer(right, shape):
        return np.where(rng.random(shape) < right, truth, rng.integers(4, size=shape)).astype(float)

    return answer(0.6, (raters, stimuli)), answer(accuracy, stimuli)


def closeness(answer, others, kind):
    if kind == "labels":
        return np.mean(others == answer)
    return -np.sqrt(np.mean((others - answer) ** 2))


@pytest.mark.parametrize(("kind", "data"), [("numbers", numbers), ("labels", choices)])
def test_it_is_the_test_of_calderon_written_out_rater_by_rater(kind, data):
    values, model = data(np.random.default_rng(0))
    found = alternative_test(values, model, kind=kind, epsilon=0.15)
    p = []
    for j, one in enumerate(found.raters):
        of_model, of_human = [], []
        for u in np.nonzero(np.isfinite(values[j]))[0]:
            others = np.delete(values[:, u], j)
            others = others[np.isfinite(others)]
            if len(others):
                model_is = closeness(model[u], others, kind)
                human_is = closeness(values[j, u], others, kind)
                of_model.append(model_is >= human_is - 1e-12)
                of_human.append(human_is >= model_is - 1e-12)
        assert (one.model, one.human) == pytest.approx((np.mean(of_model), np.mean(of_human)))
        lead = np.array(of_human, dtype=float) - np.array(of_model)
        p.append(stats.ttest_1samp(lead, 0.15, alternative="less").pvalue)
    assert [one.p for one in found.raters] == pytest.approx(p)
    # Benjamini and Yekutieli: the largest i with p_(i) <= i q / (m sum 1/j), and all that are smaller.
    m, order = len(p), np.sort(p)
    limit = np.arange(1, m + 1) * 0.05 / (m * (1 / np.arange(1, m + 1)).sum())
    passing = np.nonzero(order <= limit)[0]
    last = order[passing[-1]] if len(passing) else -1
    assert [one.won for one in found.raters] == [one <= last for one in p]
    assert found.winning_rate == np.mean([one.won for one in found.raters])
    assert found.estimate == pytest.approx(np.mean([one.model for one in found.raters]))


def test_a_better_model_passes_and_a_worse_one_fails():
    for data, kind, better, worse in (
        (numbers, "numbers", {"model": 0.2}, {"model": 3}),
        (choices, "labels", {"accuracy": 0.95}, {"accuracy": 0}),
    ):
        good = alternative_test(*data(np.random.default_rng(1), stimuli=200, **better), kind=kind)
        bad = alternative_test(*data(np.random.default_rng(1), stimuli=200, **worse), kind=kind)
        assert good.passed
        assert not bad.passed
        assert good.winning_rate == 1
        assert bad.winning_rate == 0
        assert good.low <= good.estimate <= good.high
        assert good.estimate > 0.5 > bad.high


def test_a_model_that_is_much_worse_than_epsilon_seldom_wins():
    rng = np.random.default_rng(2)
    rates = [alternative_test(*numbers(rng, model=1.6), kind="numbers").winning_rate for _ in range(100)]
    assert np.mean(rates) < 0.05


def test_raters_with_few_stimuli_are_left_out_and_three_must_remain():
    values, model = numbers(np.random.default_rng(3), missing=0)
    values[0, 20:] = np.nan
    found = alternative_test(values, model, kind="numbers")
    assert [one.rater for one in found.raters] == [1, 2, 3, 4, 5]
    assert (found.n_raters, found.n_left_out, found.n_stimuli) == (5, 1, 50)
    with pytest.raises(AgreementError, match="2 raters share 30 stimuli"):
        alternative_test(values[:3], model, kind="numbers")
    with pytest.raises(AgreementError, match="do not fit"):
        alternative_test(values, model[:3], kind="numbers")


def test_a_model_that_copies_what_all_raters_say_takes_every_place():
    values = np.tile(np.arange(40) % 3, (4, 1)).astype(float)
    assert alternative_test(values, values[0], kind="labels").winning_rate == 1
    assert alternative_test(values, values[0] + 1, kind="numbers").winning_rate == 0
