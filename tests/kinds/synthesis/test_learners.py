"""GAN, autoencoder and copula: what they learn, and that a pause changes no digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pilothouse.kinds.synthesis.backend import Learner, RealBackend
from pilothouse.kinds.synthesis.checkpoint import Checkpoint
from pilothouse.kinds.synthesis.column import detect
from pilothouse.kinds.synthesis.condition import Conditions
from pilothouse.kinds.synthesis.encoding import Encoder, Modes
from pilothouse.kinds.synthesis.errors import TrainingFailed
from pilothouse.kinds.synthesis.likeness import Ties, association, ks_mean
from pilothouse.kinds.synthesis.params import Method
from pilothouse.kinds.synthesis.plan import Step
from pilothouse.kinds.synthesis.table import Table, checked
from pilothouse.sdk.signals import Cancelled
from tests.kinds.synthesis.conftest import a_table

pytestmark = pytest.mark.xdist_group("torch")
METHODS: tuple[Method, ...] = ("ctgan", "tvae", "copula")
EPOCHS = 4


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """As the job does it."""
    import torch

    torch.set_num_threads(1)


def a_full_table() -> Table:
    """Every type that is learned, with missing values, and those that are not."""
    rows = 120
    dice = np.random.default_rng(1)
    return a_table(
        rows,
        gaps=[None if number % 4 == 0 else round(number / 7, 3) for number in range(rows)],
        day=[f"2026-01-{1 + int(dice.integers(28)):02}" for _ in range(rows)],
        answer=["yes" if number % 3 else None for number in range(rows)],
        id=[f"u-{number}" for number in range(rows)],
        same=["x"] * rows,
        nothing=[None] * rows,
    )


def learner(method: Method) -> Learner:
    """One that has learned nothing of the full table."""
    epochs = 1 if method == "copula" else EPOCHS
    return RealBackend().learner(Step(method, epochs, 50), a_full_table(), 11)


@pytest.fixture(scope="module", params=METHODS)
def learned(request: pytest.FixtureRequest) -> Learner:
    """One of each method that has learned the full table."""
    done = learner(request.param)
    for _ in range(done.epochs):
        done.epoch()
    return done


@pytest.mark.parametrize("method", [pytest.param("ctgan", marks=pytest.mark.long), "tvae"])
def test_a_table_is_the_same_byte_for_byte_when_learning_was_interrupted(
    method: Method, tmp_path: Path
) -> None:
    checkpoint, whole = Checkpoint(tmp_path / "model.pt"), learner(method)
    tables = []
    for epoch in range(1, EPOCHS + 1):
        losses = whole.epoch()
        tables.append(whole.sample(100, 5).records())
        if epoch == EPOCHS // 2:
            checkpoint.save(epoch, whole.state(), losses)

    kept = checkpoint.load()
    assert kept is not None
    taken_up = learner(method)
    taken_up.restore(kept.state)
    half = taken_up.sample(100, 5).records()
    again = [taken_up.epoch() for _ in range(EPOCHS // 2)]

    assert half == tables[EPOCHS // 2 - 1] != tables[-1]
    assert taken_up.sample(100, 5).records() == tables[-1]
    assert again[-1] == losses


def test_every_method_makes_every_type_of_column(learned: Learner) -> None:
    made = learned.sample(75, 3)

    assert made.rows == 75
    assert [column.name for column in made.columns] == [column.name for column in a_full_table().columns]
    cells = {column.name: column.cells() for column in made.columns}
    assert set(cells["kind"]) <= {"small", "medium", "large"}
    assert set(cells["answer"]) <= {"yes", ""}
    assert all(cell.startswith("2026-01-") for cell in cells["day"])
    assert set(cells["same"]) == {"x"}
    assert set(cells["nothing"]) == {""}
    assert cells["id"][:2] == ["id-1", "id-2"]
    numbers = [float(cell) for cell in cells["gaps"] if cell]
    assert all(0 <= number <= 17 for number in numbers)


def test_the_same_seed_makes_the_same_table_and_another_seed_another(learned: Learner) -> None:
    first, second, other = (learned.sample(60, seed).records() for seed in (1, 1, 2))

    assert first == second != other


def test_a_copula_keeps_distributions_and_what_holds_columns_together() -> None:
    table = a_table(600)
    copula = RealBackend().learner(Step("copula", 1, 50), table, 1)
    copula.epoch()

    made = copula.sample(600, 2)

    assert ks_mean(table, made) < 0.08
    assert (Ties.of(table, made).delta or 0) < 0.08


def test_a_copula_keeps_the_share_of_missing_values() -> None:
    copula = learner("copula")
    copula.epoch()

    made = {column.name: column for column in copula.sample(2_000, 2).columns}

    assert made["gaps"].missing == pytest.approx(0.25, abs=0.04)
    assert made["answer"].missing == pytest.approx(1 / 3, abs=0.04)


def test_a_copula_holds_columns_together_that_are_missing_together() -> None:
    dice = np.random.default_rng(5)
    pairs = dice.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 2_000).round(3)
    gaps = dice.random(2_000) < 0.5
    columns = {
        name: [None if gap else value for gap, value in zip(gaps, pairs[:, place].tolist(), strict=True)]
        for place, name in enumerate(("one", "other"))
    }
    table = checked("rows", columns)
    copula = RealBackend().learner(Step("copula", 1, 50), table, 1)
    copula.epoch()

    made = copula.sample(2_000, 2)

    assert association(*table.columns) == pytest.approx(0.5, abs=0.05)
    assert association(*made.columns) == pytest.approx(0.5, abs=0.05)


def test_a_gan_learns_what_holds_columns_together_in_a_few_steps() -> None:
    table = a_table(120)
    gan = RealBackend().learner(Step("ctgan", 40, 30), table, 3)
    gan.epoch()
    before = Ties.of(table, gan.sample(120, 1))
    for _ in range(39):
        gan.epoch()
    made = gan.sample(120, 1)

    assert (before.delta or 0) > 0.5
    assert (Ties.of(table, made).delta or 1) < 0.25
    assert ks_mean(table, made) < 0.2


@pytest.mark.parametrize("method", ["ctgan", "tvae"])
def test_who_makes_a_learner_may_leave_after_each_column(method: Method) -> None:
    fitted: list[int] = []

    def leave() -> None:
        fitted.append(1)
        if len(fitted) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        RealBackend(leave).learner(Step(method, 1, 50), a_full_table(), 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "columns",
    [
        {"only": [f"{number % 17}.5" for number in range(30)]},
        {"only": ["a", "b", "c"] * 10},
        {"n": [f"{number}.25" for number in range(30)], "gap": [1.5, *([None] * 29)], "same": ["x"] * 30},
        {"town": [f"t{number % 28}" for number in range(56)], "n": [f"{number}.5" for number in range(56)]},
    ],
    ids=["one numeric column", "one category", "nearly all missing", "rare categories"],
)
def test_a_meagre_table_is_learned_all_the_same(method: Method, columns: dict[str, list[object]]) -> None:
    learned, _ = checked("rows", columns).split(0.3, 7)
    one = RealBackend().learner(Step(method, 2, 10), learned, 1)

    for _ in range(one.epochs):
        one.epoch()

    assert one.sample(40, 1).rows == 40


def test_a_gan_refuses_more_categories_than_memory_holds() -> None:
    words = [f"w{number % 45}" for number in range(90)]
    table = checked("rows", {f"c{number}": words for number in range(120)})

    with pytest.raises(TrainingFailed, match="The categories have 5,400 values together") as caught:
        RealBackend().learner(Step("ctgan", 1, 50), table, 1)

    assert caught.value.hint


def test_a_loss_that_is_no_number_ends_the_attempt_in_clear_words() -> None:
    import torch

    from pilothouse.kinds.synthesis.gan import ConditionalGan

    gan = ConditionalGan(a_table(60), 5, 50, 3)
    with torch.no_grad():
        next(gan._generator.parameters()).fill_(float("nan"))

    with pytest.raises(TrainingFailed, match="loss is not a number after epoch 1") as caught:
        gan.epoch()

    assert caught.value.hint


# The parts of the paper


def test_moments_have_no_gap_to_themselves_and_one_to_columns_torn_apart() -> None:
    import torch

    from pilothouse.kinds.synthesis.moments import Moments

    table = a_full_table()
    encoder = Encoder(table, 1)
    rows = torch.from_numpy(encoder.encode(table, 1))
    torn = rows.clone()
    for span in encoder.spans[:2]:  # the first number: its place within a mode, and its mode
        torn[:, span.start : span.end] = rows.flip(0)[:, span.start : span.end]
    moments = Moments(encoder, table)

    assert float(moments.gap(rows, rows)) == 0
    assert float(moments.gap(torn, rows)) > 0.05
    assert torch.isfinite(moments.gap(rows[:1], rows[:1]))


def test_moments_tell_numbers_in_their_own_units() -> None:
    import torch

    from pilothouse.kinds.synthesis.moments import Moments

    table = a_table(120)
    encoder = Encoder(table, 1)
    matrix = encoder.encode(table, 1)
    values = Moments(encoder, table)._values(torch.from_numpy(matrix)).numpy()

    for place, column in enumerate(encoder.decode(matrix, table).columns[:2]):
        assert column.numbers is not None
        told = values[:, place] * table.columns[place].values.std() + table.columns[place].values.mean()
        np.testing.assert_allclose(told, column.numbers, atol=0.05)


def test_an_average_follows_quickly_at_first_and_slowly_later() -> None:
    import torch

    from pilothouse.kinds.synthesis.average import DECAY, Average

    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    average = Average(network)
    torch.nn.init.ones_(network.weight)
    weight = average.network.state_dict()["weight"]

    average.follow(network)
    first = float(weight)
    for _ in range(2_000):
        average.follow(network)
    arrived = float(weight)
    torch.nn.init.zeros_(network.weight)
    average.follow(network)

    assert first == pytest.approx(1 - 2 / 11)
    assert arrived == pytest.approx(1)
    assert float(weight) == pytest.approx(DECAY)


def test_the_modes_of_a_column_are_found() -> None:
    dice = np.random.default_rng(2)
    values = np.concatenate([dice.normal(0, 1, 300), dice.normal(50, 2, 300)]).round(3)

    modes = Modes.fit(detect("n", [str(value) for value in values]), 1)

    assert {round(float(mean) / 50) for mean in modes.means} == {0, 1}
    assert len(modes.means) <= 6


def test_encoding_and_back_gives_the_table() -> None:
    table = a_full_table()
    encoder = Encoder(table, 1)

    back = encoder.decode(encoder.encode(table, 2), table)

    for column, again in zip(table.columns, back.columns, strict=True):
        if column.is_category or column.type in ("constant", "empty"):
            assert again.cells() == column.cells()
        elif column.numbers is not None and again.numbers is not None:
            spread = float(np.nanstd(column.numbers))
            np.testing.assert_allclose(
                again.numbers, column.numbers, atol=0.02 * spread + 86_400 * (column.type == "date")
            )


def test_rare_values_are_asked_for_more_often_than_they_are() -> None:
    rare = np.repeat([[1.0, 0.0], [0.0, 1.0]], [990, 10], axis=0).astype(np.float32)
    table = checked("rows", {"c": ["a"] * 990 + ["b"] * 10})
    conditions = Conditions(rare, Encoder(table, 1).categories)
    dice = np.random.default_rng(1)

    trained = conditions.draw(5_000, dice).values.mean()
    made = conditions.draw_as_real(5_000, dice).values.mean()

    assert trained == pytest.approx(np.log1p(10) / (np.log1p(10) + np.log1p(990)), abs=0.03)
    assert made == pytest.approx(0.01, abs=0.01)


def test_real_rows_meet_the_conditions_that_were_asked() -> None:
    table = a_full_table()
    encoder = Encoder(table, 1)
    matrix = encoder.encode(table, 1)
    conditions, dice = Conditions(matrix, encoder.categories), np.random.default_rng(3)

    asked = conditions.draw(200, dice)
    rows = matrix[conditions.rows_with(asked, dice)]

    for row, column, value in zip(rows, asked.columns, asked.values, strict=True):
        assert row[encoder.categories[column].start + value] == 1
    assert (asked.vector.sum(axis=1) == 1).all()


# Checkpoints


def test_a_checkpoint_that_is_gone_or_damaged_is_none(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "deep" / "model.pt")
    nothing = checkpoint.load()
    checkpoint.save(3, {"done": 3}, {"loss": 0.5})
    kept = checkpoint.load()
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:40])

    assert nothing is None
    assert kept is not None
    assert (kept.epoch, kept.state, kept.losses) == (3, {"done": 3}, {"loss": 0.5})
    assert checkpoint.load() is None
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["model.pt"]
