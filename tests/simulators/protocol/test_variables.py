"""Variables, values and designs: what people write and what arrays hold."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.protocol import BinaryVector, Bits, Categorical, Design, Designs, InputError, Integer, Variable

BITS = BinaryVector(8, item="C")


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("all", "11111111"),
        ("none", "00000000"),
        ("C5,C7", "00001010"),
        ("c5 c7", "00001010"),
        ("5,7", "00001010"),
        ("C7, C5, C5", "00001010"),
        ("10000101", "10000101"),
        ("every:2", "01010101"),
        ("every:1", "11111111"),
        ("every:9", "00000000"),
        (10000101, "10000101"),
        ([1, 0, 0, 0, 0, 1, 0, 1], "10000101"),
        (np.array([1, 0, 0, 0, 0, 1, 0, 1]), "10000101"),
    ],
)
def test_a_binary_vector_reads_all_ways_of_writing_it(text, bits):
    assert str(BITS.parse(text)) == bits


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C9", "no C9; items go from 1 to 8"),
        ("C0", "no C0"),
        ("every:0", "at least 1"),
        ("1001", "not a binary vector of 8 bits"),
        ("B5", "not a binary vector"),
        ("", "not a binary vector"),
        ([1, 0], "has 2 bits, but 8 are needed"),
        ([2] * 8, "0 and 1 only"),
        (True, "not a binary vector"),
        (None, "not a binary vector"),
    ],
)
def test_a_wrong_binary_vector_says_what_is_allowed(text, words):
    with pytest.raises(InputError, match=words):
        BITS.parse(text)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=20))
def test_bits_survive_text_arrays_and_names(bits):
    domain, value = BinaryVector(len(bits), item="C"), Bits(bits)
    assert domain.parse(str(value)) == value
    assert domain.value(domain.column([value])[0]) == value
    assert domain.parse(domain.names(value)) == value


@given(st.integers(1, 10), st.data())
def test_every_binary_vector_has_one_number(length, data):
    domain = BinaryVector(length)
    index = data.draw(st.integers(0, domain.size - 1))
    assert int(str(domain.value(domain.at(np.array([index]))[0])), 2) == index


@pytest.mark.parametrize(("value", "parsed"), [(2, 2), ("3", 3), (1.0, 1), (np.int64(2), 2)])
def test_an_integer_reads_numbers_and_text(value, parsed):
    assert Integer(1, 3).parse(value) == parsed


@pytest.mark.parametrize("value", [0, 4, 1.5, "x", True, None, float("nan"), float("inf")])
def test_a_wrong_integer_says_the_range(value):
    with pytest.raises(InputError, match="integer from 1 to 3"):
        Integer(1, 3).parse(value)


@pytest.mark.parametrize(("value", "parsed"), [(64, 64), ("128", 128), (64.0, 64)])
def test_a_choice_reads_numbers_and_text(value, parsed):
    assert Categorical([64, 128]).parse(value) == parsed


def test_a_wrong_choice_lists_the_choices():
    with pytest.raises(InputError, match="one of 64, 128"):
        Categorical([64, 128]).parse(96)


def test_choices_of_words_and_of_floats_keep_their_kind():
    assert Categorical(["sum", "max"]).parse("max") == "max"
    assert Categorical([5e6, 10e6]).parse("10e6") == 10e6


@pytest.mark.parametrize("make", [lambda: BinaryVector(0), lambda: Integer(2, 1), lambda: Categorical([])])
def test_empty_domains_are_refused(make):
    with pytest.raises(InputError):
        make()


@pytest.mark.parametrize("domain", [BinaryVector(5), Integer(-1, 4), Categorical([1, 2, 4]), Categorical(["a", "b"])])
def test_samples_and_columns_hold_allowed_values_only(domain):
    column = domain.sample(np.random.default_rng(0), 50)
    values = [domain.value(entry) for entry in column]
    assert [domain.parse(value) for value in values] == values
    assert np.array_equal(domain.column(values), column)
    everything = domain.at(np.arange(domain.size))
    assert len({domain.value(entry) for entry in everything}) == domain.size


def test_labels_describe_values_and_exceptions():
    bn = Variable("bn", BITS, BITS.parse("all"), label="BN after {}", labels=(("all", "All-BN"), ("none", "no BN")))
    assert bn.describe(BITS.parse("C5,C7")) == "BN after C5 C7"
    assert bn.describe(BITS.parse("all")) == "All-BN"
    assert bn.describe(BITS.parse("none")) == "no BN"
    clock = Variable("clock", Categorical([5e6, 1e7]), 1e7, label="{} Hz", labels=((5e6, "5 MHz"),))
    assert clock.describe(5e6) == "5 MHz"
    assert clock.describe(1e7) == "10000000.0 Hz"
    assert Variable("tiles", Integer(1, 9), 1, "tile").describe(3) == "tiles=3 tile"


def test_designs_are_equal_by_value_hashable_and_cross_processes():
    first = Design({"bn": Bits("101"), "reram_layers": 3})
    second = Design({"reram_layers": 3, "bn": Bits("101")})
    assert first == second
    assert len({first, second, pickle.loads(pickle.dumps(first))}) == 1  # noqa: S301  # our own bytes
    assert first.to_json() == {"bn": "101", "reram_layers": 3}
    assert str(first) == "bn=101 reram_layers=3"


def test_columns_of_one_row_stand_for_all_designs():
    designs = Designs({"bn": np.zeros((4, 3), dtype=np.uint8), "reram_layers": np.array([2])})
    assert len(designs) == 4
    assert designs.expanded()["reram_layers"].tolist() == [2, 2, 2, 2]
    some = designs.take(np.array([True, False, True, False]))
    assert len(some) == 2
    assert some["reram_layers"].tolist() == [2]
    assert "crossbar_size" in some.with_columns({"crossbar_size": np.array([64])})


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(InputError, match="rows"):
        Designs({"a": np.zeros(2), "b": np.zeros(3)})


def test_batches_are_joined_one_after_the_other() -> None:
    one = Designs({"bn": np.array([[0, 1], [1, 1]]), "layers": np.array([3])}, 2)
    other = Designs({"bn": np.array([[1, 0]]), "layers": np.array([5])})
    both = Designs.joined([one, other])
    assert len(both) == 3
    assert both["layers"].tolist() == [3, 3, 5]
    assert both["bn"].tolist() == [[0, 1], [1, 1], [1, 0]]


@pytest.mark.parametrize(
    ("mine", "theirs", "both", "default"),
    [
        (Categorical((1, 2, 4)), Categorical((8, 4, 2)), Categorical((2, 4)), 2),
        (Categorical(("a", "b")), Categorical(("b", "c")), Categorical(("b",)), "b"),
        (Integer(0, 7), Integer(2, 9), Integer(2, 7), 2),
        (Integer(0, 7), Integer(0, 7), Integer(0, 7), 0),
        (BITS, BITS, BITS, Bits([0] * 8)),
    ],
)
def test_a_variable_that_two_simulators_read_has_the_values_that_both_allow(mine, theirs, both, default):
    first = next(iter([mine.value(mine.at(np.zeros(1, dtype=np.int64))[0])]))
    other = theirs.value(theirs.at(np.zeros(1, dtype=np.int64))[0])
    shared = Variable("x", mine, first, label="{} X").shared_with(Variable("x", theirs, other, searched=True))
    assert shared.domain == both
    assert shared.default == default
    assert (shared.label, shared.searched) == ("{} X", True)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [(Categorical((1, 2)), Categorical((4, 8))), (Integer(0, 1), Integer(3, 4)), (Integer(0, 7), Categorical((1, 2)))],
)
def test_a_variable_that_suits_only_one_of_two_simulators_is_refused(mine, theirs):
    with pytest.raises(InputError, match=r"one simulator allows .*, another .*: nothing suits both"):
        Variable("x", mine, mine.parse(mine.value(mine.at(np.zeros(1, dtype=np.int64))[0]))).shared_with(
            Variable("x", theirs, theirs.value(theirs.at(np.zeros(1, dtype=np.int64))[0]))
        )
