"""DeepTrain: a stack of ReRAM layers (convolutions) and GPU layers (batch normalisation) that trains networks.

"The paper" in this package is B. K. Joardar et al., High-Throughput Training of Deep CNNs on ReRAM-Based Heterogeneous
Architectures via Optimized Normalization Layers, IEEE TCAD. One file per concern: variables, settings, assumptions,
mapping (layers to crossbars), pipeline (times), energy, thermal; ``model`` puts them together.
"""

from simulators.accelerators.deeptrain.simulator import DeepTrain

__all__ = ["DeepTrain"]
