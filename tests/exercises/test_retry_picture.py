"""The picture of a retry policy says in words what users, service and rows got of it."""

from halab.exercises.retry_picture import show_trial
from halab.models.retry_policy import RetryPolicy
from halab.sim.retry_storm import Scenario

OUTAGE = Scenario(rate=30, outage_at=2, outage=5, end=20)


def test_a_trial_is_a_sentence_a_bar_a_second_and_a_folded_table() -> None:
    trial = show_trial(RetryPolicy(), OUTAGE)
    assert trial.sentence.startswith("Simulated: of about 150 requests sent during the outage ")
    assert f"{trial.report.failed_during} failed for good" in trial.sentence
    assert "0 rows are there twice" in trial.sentence
    page = trial._repr_html_()
    assert page.count('fill="var(--jp-brand-color1') == 20
    assert f'aria-label="{trial.alt}"' in page
    assert trial.sentence in repr(trial)


def test_a_policy_that_does_not_wait_shows_its_storm_and_its_rows() -> None:
    def at_once(attempt, elapsed, outcome, operation, rng):
        return 0.0 if elapsed < 8 else None

    careful, storm = show_trial(RetryPolicy(), OUTAGE), show_trial(at_once, OUTAGE)
    assert storm.report.peak > 3 * careful.report.peak
    assert storm.report.duplicates > 0
    loads = dict(storm.report.load_by_second)
    assert max(loads, key=lambda second: loads[second]) in range(2, 7), (
        "the outage is where the bars are high"
    )
    assert sum(loads.values()) * OUTAGE.rate == storm.report.attempts
