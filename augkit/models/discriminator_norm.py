"""The norm of a discriminator's convolutions.

============  =========================================================================================================
``batch``     BatchNorm (Radford et al. 2016): a score then depends on the whole batch, not on its picture alone
``layer``     layer norm, over channels and places of a picture (what Gulrajani et al. 2017 advise for WGAN-GP)
``spectral``  spectral norm of the weights (Miyato et al. 2018)
``none``      none
============  =========================================================================================================
"""

from __future__ import annotations

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from augkit.core.errors import ConfigError

NORMS = ("batch", "layer", "spectral", "none")


def chosen_norm(norm: str, spectral: bool) -> str:
    """The norm; ``spectral`` is the older way to choose that one. Raises ConfigError for two, or an unknown one."""
    if norm not in NORMS:
        raise ConfigError(f"D with norm {norm!r}", "one of " + ", ".join(NORMS), "set options.norm")
    if spectral and norm not in ("batch", "spectral"):
        raise ConfigError(f"D with spectral and norm {norm!r}", "one of them", "leave options.spectral out")
    return "spectral" if spectral else norm


def has_bias(norm: str) -> bool:
    """Whether a convolution in front of the norm needs a bias."""
    return norm in ("spectral", "none")


def normed(convolution: nn.Conv2d, norm: str) -> list[nn.Module]:
    """The convolution under its norm."""
    if norm == "spectral":
        return [spectral_norm(convolution)]
    width = convolution.out_channels
    if norm == "none":
        return [convolution]
    return [convolution, nn.BatchNorm2d(width) if norm == "batch" else nn.GroupNorm(1, width)]
