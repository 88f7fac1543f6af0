"""A training that somebody asks for, told completely: what its results depend on, and where it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.protocol import Bits, Folder, Value, Workload
from simulators.training.datasets import ImageData
from simulators.training.recipe import TrainingSettings
from simulators.workloads import Network

if TYPE_CHECKING:
    from simulators.training.checkpoint import Checkpoint

__all__ = ["Asked"]


@dataclass(frozen=True, eq=False)
class Asked:
    """A training that somebody asks for.

    Args:
        settings: of the simulator.
        workload: the full network and its data set.
        chosen: values of the variables that training reads.
        network: the table of what is trained.
        data: the images.
        epochs: from the start.
        seed: any integer.
        folder: of checkpoints; None: nothing is kept.
    """

    settings: TrainingSettings
    workload: Workload
    chosen: Mapping[str, Value]
    network: Network
    data: ImageData
    epochs: int
    seed: int
    folder: Folder | None

    @property
    def bn(self) -> Bits:
        """The placement of batch normalisation."""
        return Bits(self.chosen["bn"])  # type: ignore[arg-type]  # a binary vector's values are Bits

    def file(self, device: str, torch: str) -> str:
        """The name of its checkpoint's file, which names everything that results depend on: what training reads,
        recipe, images, proxy and seed; and, since their last bits differ, the kind of device and PyTorch's version
        (without its last part, which mends errors).
        """
        from simulators.training.checkpoint import checkpoint_key

        settings, workload = self.settings, self.workload
        key = checkpoint_key(
            network=repr(self.network.layers) if workload.source else workload.network,  # a user's file may change
            options=sorted(workload.options),
            width=settings.width,
            design={name: str(value) for name, value in self.chosen.items()},
            chip=settings.chip and settings.chip.model_dump(mode="json"),
            recipe=settings.recipe.model_dump(mode="json"),
            dataset=workload.dataset,
            images=self.data.checksum,
            train_images=len(self.data.train),
            seed=self.seed,
            device=device,
            torch=torch.split(".")[:2],
        )
        return f"{key}.pt"

    def kept(self, file: str) -> Checkpoint | None:
        """What the folder has in a file of it."""
        from simulators.training.checkpoint import read_checkpoint

        return read_checkpoint(self.folder, file) if self.folder else None
