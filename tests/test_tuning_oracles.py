"""keras-tuner's own oracles under a made-up objective: the same settings follow, whatever breaks in between."""

import itertools
import json

import keras_tuner
import pytest
from keras_tuner.engine.trial import TrialStatus

from kseq.errors import UsageError
from kseq.options import Options
from kseq.tuning.hyperparameters import hyperparameters
from kseq.tuning.oracles import ORACLES, new_oracle, quietly
from kseq.tuning.space import Choices, Range

SPACE = {
    "head": Choices(("max", "attention")),
    "attention_units": Choices((8, 16, 32)),
    "learning_rate": Range(1e-4, 1e-2, log=True),
    "bidirectional": Choices((False, True)),
}
GRID = SPACE | {"learning_rate": Choices((1e-4, 1e-3, 1e-2))}
CONDITIONS = {"head": {}, "attention_units": {"head": ("attention",)}, "learning_rate": {}, "bidirectional": {}}
SETTLED = Options("toy", learning_rate=0.003, head="attention", attention_units=16)


def oracle_in(folder, tuner="random", seed=0, space=None, conditions=CONDITIONS, epochs=9):
    space = space or (GRID if tuner == "grid" else SPACE)
    objective = keras_tuner.Objective("val_nll", "min")
    oracle = new_oracle(tuner, hyperparameters(space, conditions, SETTLED), objective, seed, epochs)
    oracle._set_project_dir(str(folder), "project")
    oracle.reload()
    return oracle


def value_of(values):
    """A bowl, whose deepest place is a small rate read in both directions; more epochs go deeper."""
    epochs = values.get("tuner/epochs", 1)
    return abs(values["learning_rate"] - 2e-4) * 100 + (not values["bidirectional"]) + 1 / epochs


def begin(oracle):
    with quietly():
        return oracle.create_trial("tuner0")


def end(oracle, trial, status=TrialStatus.COMPLETED):
    with quietly():
        if status == TrialStatus.COMPLETED:
            oracle.update_trial(trial.trial_id, {"val_nll": value_of(trial.hyperparameters.values)})
        trial.status = status
        oracle.end_trial(trial)
        oracle.save()


def run(oracle, count):
    for _ in range(count):
        trial = begin(oracle)
        if trial.status == TrialStatus.STOPPED:
            break
        end(oracle, trial)
    return oracle


def tried(oracle):
    return [(trial.trial_id, trial.hyperparameters.values, trial.score) for trial in oracle.ended]


@pytest.mark.parametrize("tuner", ORACLES)
def test_the_same_settings_follow_wherever_it_is_broken_off(tuner, tmp_path):
    # The Bayesian oracle takes its time; the first four of its trials are drawn.
    count = 6 if tuner == "bayesian" else 14
    expected = tried(run(oracle_in(tmp_path / "whole", tuner), count))
    assert len(expected) == count
    # The end of the process once while a trial runs and once between two, all through the search.
    while len(tried(oracle_in(tmp_path / "broken", tuner))) < count:
        begin(oracle_in(tmp_path / "broken", tuner))
        oracle = oracle_in(tmp_path / "broken", tuner)
        end(oracle, begin(oracle))
    assert tried(oracle_in(tmp_path / "broken", tuner)) == expected
    assert tried(run(oracle_in(tmp_path / "other", tuner, seed=1), count)) != expected or tuner == "grid"


@pytest.mark.parametrize("tuner", ORACLES)
def test_the_first_trial_is_the_defaults(tuner, tmp_path):
    values = begin(oracle_in(tmp_path, tuner)).hyperparameters.values
    assert {name: values[name] for name in ("head", "attention_units", "bidirectional")} == {
        "head": "attention", "attention_units": 16, "bidirectional": False,
    }  # fmt: skip
    assert values["learning_rate"] == pytest.approx(0.001 if tuner == "grid" else 0.003)


def test_values_are_those_that_do_something(tmp_path):
    found = [values for _, values, _ in tried(run(oracle_in(tmp_path), 12))]
    assert {values["head"] for values in found} == {"max", "attention"}
    assert all(("attention_units" in values) == (values["head"] == "attention") for values in found)
    assert all(type(values["bidirectional"]) is bool for values in found)


@pytest.mark.parametrize("tuner", ["random", "grid"])
def test_conditions_of_conditions(tuner, tmp_path):
    """In whatever order the parents stand."""
    space = {
        "encoder": Choices(("recurrent", "bag")),
        "num_layers": Choices((1, 2)),
        "cell": Choices(("gru", "lstm")),
        "layer_dropout": Choices((0.1, 0.2)),
    }
    recurrent = {"encoder": ("recurrent",)}
    conditions = {
        "encoder": {},
        "num_layers": recurrent,
        "cell": recurrent,
        "layer_dropout": {"num_layers": (2,), "cell": ("gru",)},
    }
    oracle = oracle_in(tmp_path, tuner, space=space, conditions=conditions)
    with quietly():
        for _ in range(40):
            trial = oracle.create_trial("tuner0")
            if trial.status == TrialStatus.STOPPED:
                break
            oracle.update_trial(trial.trial_id, {"val_nll": 1.0})
            trial.status = TrialStatus.COMPLETED
            oracle.end_trial(trial)
            oracle.save()
    found = {json.dumps(values, sort_keys=True) for _, values, _ in tried(oracle)}
    wanted = [{"encoder": "bag"}]
    for layers, cell in itertools.product((1, 2), ("gru", "lstm")):
        values = {"encoder": "recurrent", "num_layers": layers, "cell": cell}
        dropouts = [{"layer_dropout": share} for share in (0.1, 0.2)] if (layers, cell) == (2, "gru") else [{}]
        wanted += [values | dropout for dropout in dropouts]
    assert found == {json.dumps(values, sort_keys=True) for values in wanted}


def test_a_grid_is_every_combination_once(tmp_path):
    oracle = run(oracle_in(tmp_path, "grid"), 100)
    found = [tuple(sorted(values.items())) for _, values, _ in tried(oracle)]
    rates, both = (1e-4, 1e-3, 1e-2), (False, True)
    attended = itertools.product(("attention",), (8, 16, 32), rates, both)
    names = ("head", "attention_units", "learning_rate", "bidirectional")
    wanted = [dict(zip(names, values, strict=True)) for values in attended]
    wanted += [{"head": "max", "learning_rate": rate, "bidirectional": way} for rate in rates for way in both]
    assert len(found) == len(set(found))
    assert set(found) == {tuple(sorted(values.items())) for values in wanted}


def test_rungs_train_the_best_for_longer(tmp_path):
    oracle = run(oracle_in(tmp_path, "hyperband"), 14)
    trials = {trial.trial_id: trial for trial in oracle.ended}
    first = [trial for trial in trials.values() if trial.hyperparameters.values["tuner/epochs"] == 1]
    later = [trial for trial in trials.values() if "tuner/trial_id" in trial.hyperparameters.values]
    assert len(first) == 9
    assert later
    for trial in later:
        values = trial.hyperparameters.values
        before = trials[values["tuner/trial_id"]]
        assert values["tuner/initial_epoch"] == before.hyperparameters.values["tuner/epochs"] < values["tuner/epochs"]
        assert values["learning_rate"] == before.hyperparameters.values["learning_rate"]
    promoted = {trial.hyperparameters.values["tuner/trial_id"] for trial in later} & {each.trial_id for each in first}
    scores = sorted(trial.score for trial in first)
    assert sorted(trials[trial_id].score for trial_id in promoted) == scores[: len(promoted)]


def test_rungs_go_on_where_the_space_has_fewer_settings_than_they_want(tmp_path):
    space = {"bidirectional": Choices((False, True)), "learning_rate": Choices((1e-4, 1e-3))}
    conditions = {"bidirectional": {}, "learning_rate": {}}
    oracle = run(oracle_in(tmp_path, "hyperband", space=space, conditions=conditions), 50)
    epochs = [trial.hyperparameters.values["tuner/epochs"] for trial in oracle.ended]
    assert epochs.count(1) == 4
    assert max(epochs) == 9
    best = min(oracle.ended, key=lambda trial: trial.score)
    assert best.hyperparameters.values["bidirectional"] is True
    assert best.hyperparameters.values["tuner/epochs"] == 9


def test_the_bayesian_search_looks_where_it_is_good(tmp_path):
    """Of the bowl's two halves, the wrong one is a whole point higher."""
    found = [values for _, values, _ in tried(run(oracle_in(tmp_path, "bayesian"), 8))]
    later = found[5:]
    assert all(values["bidirectional"] for values in later)
    assert len({json.dumps(values, sort_keys=True) for values in found}) == len(found)


# What breaks


def test_a_trial_that_fails_is_tried_once_more_and_the_search_goes_on(tmp_path):
    oracle = oracle_in(tmp_path)
    trial = begin(oracle)
    end(oracle, trial, TrialStatus.INVALID)
    assert oracle.ended == []
    again = begin(oracle)
    assert again.trial_id == trial.trial_id
    end(oracle, again, TrialStatus.INVALID)
    assert [each.status for each in oracle.ended] == ["FAILED"]
    # keras-tuner gives up after three in a row.
    for _ in range(10):
        end(oracle, begin(oracle), TrialStatus.INVALID)
    run(oracle, 2)
    assert [each.status for each in oracle.ended] == ["FAILED"] * 6 + ["COMPLETED"] * 2


def test_a_trial_whose_process_dies_each_time_is_a_failed_one(tmp_path):
    run(oracle_in(tmp_path), 2)
    number = begin(oracle_in(tmp_path)).trial_id
    for _ in range(2):
        assert begin(oracle_in(tmp_path)).trial_id == number
    oracle = oracle_in(tmp_path)
    assert [trial.status for trial in oracle.ended] == ["COMPLETED", "COMPLETED", "FAILED"]
    assert "killed 3 times" in oracle.ended[-1].message
    assert begin(oracle).trial_id == "0003"


def test_what_a_trial_told_before_its_process_died_does_not_count(tmp_path):
    """Or keras-tuner would take the mean of it and of what comes now."""
    oracle = oracle_in(tmp_path)
    trial = begin(oracle)
    with quietly():
        oracle.update_trial(trial.trial_id, {"val_nll": 99.0})
        # As another worker's trial may have it saved.
        oracle.save()
    oracle = oracle_in(tmp_path)
    again = begin(oracle)
    end(oracle, again)
    assert again.score == value_of(trial.hyperparameters.values)


def test_a_trial_that_the_user_stops_has_not_died(tmp_path):
    for _ in range(5):
        oracle = oracle_in(tmp_path)
        trial = begin(oracle)
        assert trial.trial_id == "0000"
        oracle.give_up(trial)
    assert oracle_in(tmp_path).ended == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"ongoing_trials": {}, "hy', b"\0" * 500])
@pytest.mark.parametrize("name", ["oracle.json", "trial_0001/trial.json", "snapshot.json"])
def test_a_file_that_is_cut_short_costs_no_trial(name, content, tmp_path):
    expected = tried(run(oracle_in(tmp_path / "whole"), 6))
    run(oracle_in(tmp_path / "cut"), 4)
    (tmp_path / "cut" / "project" / name).write_bytes(content)
    oracle = oracle_in(tmp_path / "cut")
    assert oracle.notes == [f"{name} cannot be read; the last good snapshot is used"]
    assert tried(oracle) == expected[:4]
    # It is mended, too.
    assert oracle_in(tmp_path / "cut").notes == []
    assert json.loads((tmp_path / "cut" / "project" / name).read_text())
    assert tried(run(oracle_in(tmp_path / "cut"), 2)) == expected


def test_without_any_state_it_says_so(tmp_path):
    run(oracle_in(tmp_path), 2)
    for path in (tmp_path / "project").glob("snapshot*"):
        path.write_text("")
    with pytest.raises(UsageError, match=r"cannot be read, and there is no earlier one\. --overwrite"):
        oracle_in(tmp_path)
    # Nor does a second call take it for a new search.
    with pytest.raises(UsageError, match="--overwrite"):
        oracle_in(tmp_path)


def test_the_files_are_those_of_keras_tuner(tmp_path):
    oracle = run(oracle_in(tmp_path), 3)
    state = json.loads((tmp_path / "project" / "oracle.json").read_text())
    assert state["end_order"] == ["0000", "0001", "0002"]
    theirs = keras_tuner.oracles.RandomSearchOracle(keras_tuner.Objective("val_nll", "min"), 9)
    theirs._set_project_dir(str(tmp_path), "project")
    theirs.reload()
    assert {name: trial.score for name, trial in theirs.trials.items()} == {
        trial.trial_id: trial.score for trial in oracle.ended
    }
