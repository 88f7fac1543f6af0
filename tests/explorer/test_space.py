from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.problem import Problem
from explorer.space import Space, condition, limit_to
from simulators.protocol import (
    BinaryVector,
    Bits,
    Categorical,
    Design,
    Designs,
    Domain,
    InputError,
    Integer,
    Value,
    Variable,
)
from tests.explorer.problems import SPACE, spaces

VARIABLES = (
    Variable("reram_layers", Integer(1, 4), 2, label="{0}R", separator=""),
    Variable("gpu_layers", Integer(1, 3), 1, label="{0}G", separator=""),
    Variable("crossbar_size", Categorical([64, 128]), 128, label="{0}x{0}"),
    Variable("activation", Categorical(["relu", "gelu"]), "relu"),
    Variable("bn", BinaryVector(8, "C"), Bits([1] * 8), label="BN after {0}", labels=(("none", "no BN"),)),
)


# -- one design -----------------------------------------------------------------------------------------------------


def test_missing_variables_take_their_defaults() -> None:
    design = Space(VARIABLES).design({"bn": "C5,C7", "crossbar_size": "64"})
    assert design == Design(
        {
            "reram_layers": 2, "gpu_layers": 1, "crossbar_size": 64, "activation": "relu",
            "bn": Bits("00001010"),
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"reram_layers": 9}, "reram_layers", "an integer from 1 to 4"),
        ({"reram_layers": "three"}, "reram_layers", "an integer from 1 to 4"),
        ({"reram_layers": 1.5}, "reram_layers", "an integer from 1 to 4"),
        ({"reram_layers": True}, "reram_layers", "an integer from 1 to 4"),
        ({"reram_layers": None}, "reram_layers", "an integer from 1 to 4"),
        ({"reram_layers": float("nan")}, "reram_layers", "an integer from 1 to 4"),
        ({"crossbar_size": 100}, "crossbar_size", "one of 64, 128"),
        ({"activation": "tanh"}, "activation", "one of relu, gelu"),
        ({"bn": "101"}, "bn", "8 bits"),
        ({"bn": "C9"}, "bn", "items go from 1 to 8"),
        ({"bn": [1, 0]}, "bn", "8 are needed"),
        ({"bn": [2] * 8}, "bn", "0 and 1 only"),
        ({"bn": 3.5}, "bn", "not a binary vector"),
        ({"reram_layer": 1}, "reram_layer", "did you mean 'reram_layers'?"),
    ],
)
def test_an_error_names_the_variable_and_what_is_allowed(values: dict[str, object], field: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        Space(VARIABLES).design(values)
    assert caught.value.field == field
    assert says in str(caught.value)


def test_a_design_reads_as_words() -> None:
    space = Space(VARIABLES)
    assert space.describe(space.design({"bn": "C5,C7"})) == "2R1G, 128x128, activation=relu, BN after C5 C7"
    assert space.describe(space.design({"bn": "none"})).endswith(", no BN")
    assert space.describe({"gpu_layers": 3, "crossbar_size": 64}) == "3G, 64x64"  # of some variables only


# -- many designs ---------------------------------------------------------------------------------------------------


@given(spaces, st.integers(0, 2**32), st.integers(0, 6))
def test_designs_survive_packing_and_unpacking(space: Space, seed: int, count: int) -> None:
    drawn = space.unpack(space.draw(np.random.default_rng(seed), count))
    assert space.unpack(space.designs(drawn)) == drawn
    assert len(drawn) == count
    for design in drawn:
        assert space.design(design) == design
        assert space.design(json.loads(json.dumps(design.to_json()))) == design


def test_a_column_of_one_row_stands_for_all_designs() -> None:
    designs = Designs({"bn": np.array([[1, 0, 1]]), "layers": np.array([1, 2, 3]), "size": np.array([64])}, 3)
    assert [design["layers"] for design in SPACE.unpack(designs)] == [1, 2, 3]
    assert {design["bn"] for design in SPACE.unpack(designs)} == {Bits("101")}
    assert SPACE.satisfied(designs).tolist() == [True, True, True]


@given(spaces)
def test_numbering_reaches_every_design_once(space: Space) -> None:
    found = space.unpack(space.at(range(space.size)))
    every = itertools.product(
        *([variable.domain.value(v) for v in variable.domain.at(np.arange(variable.domain.size))]
          for variable in space.variables.values())
    )  # fmt: skip
    assert found == [Design(dict(zip(space.variables, values, strict=True))) for values in every]
    assert len(set(found)) == space.size


CONSTRAINTS = ["layers + sum(bn) <= 4", "size != 128 or layers == 2", "bn[1] == 1 or bn[3] == 0", "1 <= 2"]


@given(st.sets(st.sampled_from(CONSTRAINTS)), st.integers(0, 2**32))
def test_enumeration_is_the_product_filtered_by_the_constraints(constraints: set[str], seed: int) -> None:
    def allowed(design: Design) -> bool:
        layers, size, bits = design["layers"], design["size"], design["bn"]
        assert isinstance(bits, Bits)
        assert isinstance(layers, int)
        return all(
            {
                CONSTRAINTS[0]: layers + sum(bits) <= 4,
                CONSTRAINTS[1]: size != 128 or layers == 2,
                CONSTRAINTS[2]: bits[0] == 1 or bits[2] == 0,
                CONSTRAINTS[3]: True,
            }[constraint]
            for constraint in constraints
        )

    space = Space(SPACE.variables.values(), sorted(constraints))
    everything = space.unpack(space.at(range(space.size)))
    expected = [design for design in everything if allowed(design)]
    assert [design for chunk in space.enumerate() for design in space.unpack(chunk)] == expected
    problem = Problem.from_functions(space, {"x": lambda _: 0.0}, directions={"x": "minimize"})
    sampled = space.unpack(problem.sample(np.random.default_rng(seed), 40))
    assert len(sampled) == 40
    assert all(map(allowed, sampled))
    violated = space.violation(space.at(range(space.size)))
    assert ((violated == 0) == space.satisfied(space.at(range(space.size)))).all()


@given(spaces, st.integers(0, 2**32))
def test_neighbours_differ_in_one_choice_at_most(space: Space, seed: int) -> None:
    rng = np.random.default_rng(seed)
    designs = space.draw(rng, 20)
    before = space.unpack(designs)
    for old, new in zip(before, space.unpack(space.neighbours(rng, designs)), strict=True):
        different = [name for name in space.variables if old[name] != new[name]]
        assert len(different) <= 1
        for name in different:
            domain = space.variables[name].domain
            if isinstance(domain, BinaryVector) and not domain.choices:
                assert sum(a != b for a, b in zip(old[name], new[name], strict=True)) == 1  # type: ignore[arg-type]  # Bits
        assert space.design(new) == new
    assert space.unpack(designs) == before  # left as they were


# -- huge spaces ----------------------------------------------------------------------------------------------------

HUGE = Space({"bn": BinaryVector(200), "layers": Integer(1, 3), "width": Integer(0, 10**15)})


def test_a_huge_space_is_counted_exactly() -> None:
    assert HUGE.size == 2**200 * 3 * (10**15 + 1)


def test_a_huge_space_is_numbered_without_overflow() -> None:
    last = 2**63 - 1
    designs = HUGE.unpack(HUGE.at(np.array([0, 10**15, 10**15 + 1, last])))
    assert [design["width"] for design in designs] == [0, 10**15, 0, last % (10**15 + 1)]
    assert [design["layers"] for design in designs] == [1, 1, 2, last // (10**15 + 1) % 3 + 1]
    bits = Space({"bn": BinaryVector(200)})
    for design, index in zip(
        bits.unpack(bits.at(np.array([0, 5, 2**62 + 1, last]))), [0, 5, 2**62 + 1, last], strict=True
    ):
        assert int(str(design["bn"]), 2) == index


def test_a_huge_space_is_drawn_from_and_described() -> None:
    designs = HUGE.draw(np.random.default_rng(0), 500)
    assert designs["bn"].shape == (500, 200)
    assert 0.4 < designs["bn"].mean() < 0.6
    assert len(set(HUGE.unpack(designs))) == 500
    assert "200 bits" in str(HUGE)


@pytest.mark.parametrize(
    "constraints",
    [["sum(bn) <= 3"], ["sum(bn) == 0"], ["sum(bn) == 7", "bn[1] == 1", "bn[2] == 0"], ["sum(bn) + layers <= 3"]],
    ids=lambda constraints: "; ".join(constraints),
)
def test_rare_feasible_designs_of_a_huge_space_are_found(constraints: list[str]) -> None:
    space = Space({"bn": BinaryVector(100), "layers": Integer(1, 3)}, constraints)
    problem = Problem.from_functions(space, {"x": lambda _: 0.0}, directions={"x": "minimize"})
    designs = problem.sample(np.random.default_rng(0), 60)
    assert len(designs) == 60
    assert space.satisfied(designs).all()
    if "sum(bn) == 0" not in constraints:
        assert len(set(space.unpack(designs))) > 20


def test_random_designs_of_equal_sums_do_not_run_out() -> None:
    """No single flip leads from one of them to another."""
    space = Space({"bn": BinaryVector(60)}, ["sum(bn) == 7"])
    problem = Problem.from_functions(space, {"x": lambda _: 0.0}, directions={"x": "minimize"})
    designs = problem.sample(np.random.default_rng(0), 1000)
    assert space.satisfied(designs).all()
    assert len(set(space.unpack(designs))) > 900


# -- what cannot be a space -----------------------------------------------------------------------------------------


def test_a_space_without_variables_is_refused() -> None:
    with pytest.raises(InputError, match="at least one variable"):
        Space({})


def test_two_variables_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="same name"):
        Space([VARIABLES[0], VARIABLES[0]])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("layer <= 3", "did you mean 'layers'"),
        ("layers + 1", "compare it"),
        ("bn <= 2", "sum(bn)"),
        ("bn[4] == 1", "3 items"),
        ("layers <=", "expected"),
    ],
)
def test_a_constraint_that_cannot_be_read_says_what_to_mend(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        Space(SPACE.variables.values(), [text])
    assert caught.value.field == "constraints"
    assert says in str(caught.value)
    with pytest.raises(InputError):
        condition(text, SPACE.units, SPACE.lengths)


def test_everything_that_is_wrong_with_values_is_told() -> None:
    wrong = SPACE.mistakes({"layer": 1, "layers": 99, "bn": "C99"})
    assert [mistake.field for mistake in wrong] == ["layer", *(n for n in SPACE.variables if n in ("layers", "bn"))]
    assert SPACE.mistakes({}) == []


@pytest.mark.parametrize(
    ("domain", "unit", "offered", "limit"),
    [
        (Categorical([1, 2, 8]), "bit", Categorical([1, 2, 4]), "x not in [8]"),
        (Categorical([1e7, 4e7]), "Hz", Categorical([5e6]), "x not in [10 MHz, 40 MHz]"),
        (Categorical([0.1]), "s", Categorical([0.3]), "x not in [100 ms]"),
        (Categorical(["relu", "gelu"]), "", Categorical(["gelu"]), "x not in ['relu']"),
        (Categorical(["derived", 8]), "bit", Categorical(["derived"]), "x not in ['8']"),
        (Integer(1, 4), "", Integer(2, 3), "x not in [1, 4]"),
        (Integer(2, 3), "", Integer(1, 4), ""),
    ],
    ids=str,
)
def test_what_is_not_offered_is_told_by_a_constraint_that_leaves_out_just_that(
    domain: Domain, unit: str, offered: Domain, limit: str
) -> None:
    values = [domain.value(entry) for entry in domain.at(np.arange(domain.size))]
    variable = Variable("x", domain, values[0], unit)
    assert limit_to(variable, offered) == limit
    space = Space([variable], [limit] if limit else [])
    left = [design["x"] for part in space.enumerate() for design in space.unpack(part)]
    assert left == [value for value in values if offered_value(offered, value)]


def offered_value(domain: Domain, value: Value) -> bool:
    try:
        return domain.parse(value) == value
    except InputError:
        return False
