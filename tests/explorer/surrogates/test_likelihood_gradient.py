from __future__ import annotations

import numpy as np
import pytest
import torch
from botorch.models import SingleTaskGP
from botorch.optim.closures import ForwardBackwardClosure, get_loss_closure_with_grads
from gpytorch.mlls import ExactMarginalLogLikelihood

from explorer.surrogates.fidelity_gp import FidelityGP
from explorer.surrogates.fidelity_kernel import covariances_over
from explorer.surrogates.likelihood_gradient import likelihood_closure

KINDS = {"bits": [False] * 5, "numbers": [True] * 2, "one number": [True], "both": [False, True, False, False, True]}


def likelihood(ordinal: list[bool], *, fidelity: bool, seed: int, count: int = 30) -> ExactMarginalLogLikelihood:
    """Of some observations, a few of the same design, with constants drawn at random."""
    rng = np.random.default_rng(seed)
    values = np.where(ordinal, rng.integers(0, 6, (count, len(ordinal))) / 5, rng.integers(0, 2, (count, len(ordinal))))
    values[-3:] = values[0]
    points = np.column_stack([values, rng.choice([0.0, 0.3, 1.0], count)]) if fidelity else values
    process = FidelityGP(np.array(ordinal), fidelity=fidelity)
    model = process._model(torch.from_numpy(points), torch.from_numpy(rng.normal(size=count)))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            far = (
                rng.normal(size=parameter.shape)
                if name.endswith("outputscale")
                else np.exp(rng.normal(size=parameter.shape))
            )
            parameter.copy_(torch.from_numpy(np.asarray(far)))
    found = ExactMarginalLogLikelihood(model.likelihood, model)
    found.train()
    return found


def closure(likelihood: ExactMarginalLogLikelihood) -> ForwardBackwardClosure:
    model = likelihood.model
    return likelihood_closure(likelihood, model.covar_module.covariances(model.train_inputs[0]))


def check(likelihood: ExactMarginalLogLikelihood, ours: ForwardBackwardClosure) -> None:
    """Against GPyTorch's own."""
    theirs = get_loss_closure_with_grads(likelihood, dict(likelihood.named_parameters()))
    value, gradients = theirs()
    expected = {name: g.clone() for name, g in zip(dict(likelihood.named_parameters()), gradients, strict=True)}
    mine, gradients = ours()
    assert mine.item() == pytest.approx(value.item(), rel=1e-9)
    assert list(ours.parameters) == list(expected)
    for name, gradient in zip(expected, gradients, strict=True):
        assert gradient is not None
        assert gradient.numpy() == pytest.approx(expected[name].numpy(), rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("fidelity", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_value_and_gradient_are_gpytorch_s(name: str, fidelity: bool, seed: int) -> None:
    found = likelihood(KINDS[name], fidelity=fidelity, seed=seed)
    check(found, closure(found))


def test_they_are_for_botorch_s_usual_process() -> None:
    rng = np.random.default_rng(0)
    x, y = torch.from_numpy(rng.random((20, 4))), torch.from_numpy(rng.normal(size=(20, 1)))
    model = SingleTaskGP(x, y, outcome_transform=None)
    found = ExactMarginalLogLikelihood(model.likelihood, model)
    found.train()
    check(found, likelihood_closure(found, covariances_over(model.covar_module, x)))


def test_the_constants_that_are_set_later_count() -> None:
    found = likelihood(KINDS["both"], fidelity=True, seed=0)
    ours = closure(found)
    before = ours()[0].item()
    found.model.likelihood.noise = 3.0
    after = ours()[0].item()
    assert after != before
    assert after == pytest.approx(closure(found)()[0].item(), rel=1e-12)
