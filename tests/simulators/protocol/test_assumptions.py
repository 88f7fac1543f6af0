"""Assumptions can be replaced within their range, and nothing else."""

import pytest
import yaml

from simulators.protocol import Assumption, Assumptions, InputError, assumptions, load_simulator

DECLARED = (
    Assumption("energy_j", 1e-12, "J", 1e-15, 1e-9, "somewhere", "energy of a thing"),
    Assumption("passes", 3, "", 1, 4, "somewhere", "how often"),
)


def test_what_is_not_replaced_keeps_its_value():
    assumed = Assumptions(DECLARED, {"passes": 2})
    assert dict(assumed) == {"energy_j": 1e-12, "passes": 2}
    assert assumed.replaced == {"passes": 2}


def test_numbers_may_be_written_as_text():
    assert Assumptions(DECLARED, {"energy_j": "5e-12"})["energy_j"] == 5e-12


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ({"energy": 1e-12}, "energy: there is no such assumption.*did you mean 'energy_j'"),
        ({"energy_j": 1.0}, "energy_j: 1.0 is outside.*1e-15 to 1e-09 J"),
        ({"energy_j": "much"}, "'much' is not a number"),
        ({"energy_j": float("nan")}, "not a number"),
        ({"energy_j": None}, "not a number"),
        ({"passes": 2.5}, "not an integer"),
        ({"passes": True}, "not an integer"),
        ({"passes": 5}, "outside.*1 to 4"),
    ],
)
def test_wrong_replacements_say_what_is_allowed(replaced, words):
    with pytest.raises(InputError, match=words):
        Assumptions(DECLARED, replaced)


def test_a_default_outside_its_own_range_is_a_mistake_of_the_model():
    with pytest.raises(ValueError, match="outside its own allowed range"):
        Assumption("a", 5.0, "", 0.0, 1.0, "", "")
    with pytest.raises(ValueError, match="outside its own likely range"):
        Assumption("a", 0.5, "", 0.0, 1.0, "", "", likely=(0.6, 0.7))
    with pytest.raises(ValueError, match="goes beyond"):
        Assumption("a", 0.5, "", 0.0, 1.0, "", "", likely=(0.4, 2.0))


def test_what_is_likely_is_half_to_twice_unless_said_and_never_what_is_refused():
    assert DECLARED[0].likely == (0.5e-12, 2e-12)
    assert DECLARED[1].likely == (2, 4)
    assert Assumption("a", 0.75, "", 0.0, 1.0, "", "").likely == (0.375, 1.0)
    for assumption in DECLARED:
        for end in assumption.likely:
            assert assumption.parse(end) == end


def test_what_is_likely_goes_with_a_value_outside_it_as_far_as_the_model_makes_sense():
    energy, passes = DECLARED
    assert energy.likely_around(1.5e-12) == energy.likely
    assert energy.likely_around(1e-11) == pytest.approx((5e-12, 2e-11))
    assert energy.likely_around(8e-10) == pytest.approx((4e-10, 1e-9))
    assert energy.likely_around(0.0) == energy.likely
    assert passes.likely_around(1) == (1, 1)
    assert Assumption("a", 3, "", 1, 9, "", "", likely=(3, 3)).likely_around(5) == (3, 3)


def test_the_documented_way_to_replace_one_works():
    example = yaml.safe_load(next(line for line in assumptions.__doc__.splitlines() if line.startswith("    ")))
    ((name, settings),) = example["simulators"].items()
    assert load_simulator(name)(settings).assumed.replaced == settings["assumptions"]
