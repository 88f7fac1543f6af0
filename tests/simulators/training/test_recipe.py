from __future__ import annotations

import pytest

from simulators.protocol import InputError
from simulators.training import ImageTraining, Proxy, Recipe
from simulators.training.recipe import parse_settings


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
        (
            {"recipe": {"learning_rate": -1}},
            "recipe.learning_rate",
            "-1 is not allowed: input should be greater than 0",
        ),
        ({"recipe": {"learning_rate": float("inf")}}, "recipe.learning_rate", "inf is not allowed"),
        ({"recipe": {"batch_size": 1}}, "recipe.batch_size", "greater than or equal to 2"),
        ({"recipe": {"optimizer": "adam"}}, "recipe.optimizer", "'sgd'"),
        ({"recipe": 3}, "recipe", "3 is not allowed"),
        ({"proxy": {"width": 2}}, "proxy.width", "less than or equal to 1"),
        ({"proxy": {"data": "some"}}, "proxy.data", "'bundled' or 'full'"),
        ({"proxy": "small"}, "proxy", "write none or a mapping of width, data, train_images"),
        ({"device": "tpu"}, "device", "'auto', 'cpu' or 'cuda'"),
        ({"max_epochs": 0}, "max_epochs", "0 is not allowed"),
        ({"proxy": "none"}, "data_dir", "set data_dir"),
        ({"proxy": {"data": "full"}}, "data_dir", "set data_dir"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(settings: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        ImageTraining(settings)
    assert caught.value.field == field
    assert words in caught.value.message


def test_settings_cannot_be_changed_after_they_were_checked() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Proxy().width = 0.5  # type: ignore[misc]  # that is the point
