"""How sure an accuracy is, judged on so many images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simulators.training.judging import images_error, share


def test_a_single_judgement_is_as_sure_as_so_many_throws_of_a_coin() -> None:
    told = torch.arange(1000) < 800
    assert share(told) == 0.8
    assert images_error([told]) == pytest.approx(np.sqrt(0.8 * 0.2 / 1000))


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("draws", [2, 5])
def test_chance_and_the_nature_of_images_are_told_apart(noise: float, draws: int) -> None:
    """Images have margins; each draw of a chip adds noise to them."""
    rng, images, repeats = np.random.default_rng(0), 500, 800
    means, claimed = [], []
    for _ in range(repeats):
        margins = 1 + rng.standard_normal(images)
        told = [torch.from_numpy(margins + noise * rng.standard_normal(images) > 0) for _ in range(draws)]
        means.append(np.mean([share(one) for one in told]))
        by_chance = np.mean([float(one.double().var(correction=0)) for one in told]) / draws / images
        claimed.append((images_error(told) ** 2, by_chance))
    of_images = np.mean([error for error, _ in claimed])
    assert of_images <= np.var(means) * 1.1, "of images alone: less than all"
    if noise == 0:
        assert of_images == pytest.approx(np.var(means), rel=0.1)
    else:  # what is left of the variance is chance, which the error of chips is to tell
        p_of = rng.standard_normal((200_000, 1)) + 1
        from scipy.stats import norm

        p = norm.cdf(p_of / noise)
        assert of_images == pytest.approx(p.var() / images, rel=0.1)
