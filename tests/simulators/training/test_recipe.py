from __future__ import annotations

import pytest

from simulators.protocol import InputError
from simulators.training import ImageTraining, Proxy, Recipe
from simulators.training.recipe import TrainingSettings, parse_settings


def test_without_settings_a_proxy_of_an_eighth_of_the_width_learns_from_the_bundled_images() -> None:
    settings = parse_settings(None)
    assert (settings.width, settings.data, settings.train_images, settings.threads) == (0.125, "bundled", None, 1)
    assert settings.recipe == Recipe()


def test_a_data_dir_means_its_full_data_sets_unless_bundled_images_are_asked_for() -> None:
    assert parse_settings({"data_dir": "/data"}).data == "full"
    assert parse_settings({"data_dir": "/data", "proxy": {"data": "bundled"}}).data == "bundled"


def test_no_proxy_means_the_full_network_on_all_images() -> None:
    settings = parse_settings({"proxy": "none", "data_dir": "/data"})
    assert (settings.width, settings.data, settings.train_images) == (1.0, "full", None)


def test_numbers_may_be_written_as_yaml_reads_them() -> None:
    assert parse_settings({"recipe": {"learning_rate": "4e-2"}}).recipe.learning_rate == 0.04


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"recipe": {"learning_rat": 0.1}}, "recipe.learning_rat", "did you mean 'learning_rate'"),
        ({"recipes": {}}, "recipes", "did you mean 'recipe'"),
        ({"recipe": {"learning_rate": -1}}, "recipe.learning_rate", "write a number above 0, not -1"),
        ({"recipe": {"learning_rate": "high"}}, "recipe.learning_rate", "write a number, not 'high'"),
        ({"recipe": {"learning_rate": float("inf")}}, "recipe.learning_rate", "write a finite number, not inf"),
        ({"recipe": {"momentum": 1}}, "recipe.momentum", "write 0 or more and below 1, not 1"),
        ({"recipe": {"batch_size": 1}}, "recipe.batch_size", "write 2 or more, not 1"),
        ({"recipe": {"batch_size": 2.5}}, "recipe.batch_size", "write a whole number, not 2.5"),
        ({"recipe": {"optimizer": "adam"}}, "recipe.optimizer", "write 'sgd', not 'adam'"),
        ({"recipe": 3}, "recipe", "write a mapping of optimizer, learning_rate, momentum"),
        ({"proxy": {"width": 0}}, "proxy.width", "write a number above 0 and at most 1, not 0"),
        ({"proxy": {"width": 2}}, "proxy.width", "write a number above 0 and at most 1, not 2"),
        ({"proxy": {"width": "wide"}}, "proxy.width", "write a number, not 'wide'"),
        ({"proxy": {"width": None}}, "proxy.width", "write a number, not nothing"),
        ({"proxy": {"data": "some"}}, "proxy.data", "write 'bundled' or 'full', not 'some'"),
        ({"proxy": "small"}, "proxy", "write none or a mapping of width, data, train_images, not 'small'"),
        ({"device": "tpu"}, "device", "write 'auto', 'cpu' or 'cuda', not 'tpu'"),
        ({"data_dir": 3}, "data_dir", "write a path, not 3"),
        ({"keep_checkpoints": "perhaps"}, "keep_checkpoints", "write true or false, not 'perhaps'"),
        ({"max_epochs": 0}, "max_epochs", "write 1 or more, not 0"),
        ({"proxy": "none"}, "data_dir", "set data_dir"),
        ({"proxy": {"data": "full"}}, "data_dir", "set data_dir"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(settings: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        ImageTraining(settings)
    assert caught.value.field == field
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("section", "field"),
    [
        *(("", field) for field in TrainingSettings.model_fields),
        *(("recipe", field) for field in Recipe.model_fields),
        *(("proxy", field) for field in Proxy.model_fields),
    ],
)
def test_whatever_a_setting_holds_it_is_refused_in_the_words_of_this_project(section: str, field: str) -> None:
    refused = []
    for value in (None, 0, -1, 0.5, 2**70, float("nan"), "", "x", [], [1], {}, {"x": 1}):
        try:
            parse_settings({section: {field: value}} if section else {field: value})
        except InputError as error:
            refused.append(error.message)
    assert refused
    assert not [message for message in refused if "should" in message or "valid" in message or ", got" in message]


def test_settings_cannot_be_changed_after_they_were_checked() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Proxy().width = 0.5  # type: ignore[misc]  # that is the point
