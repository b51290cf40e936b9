"""What workers are handed, from the settings of a workspace."""

from __future__ import annotations

from augkit.balance.worker import FanOut, PairFormat
from augkit.settings import BalanceSettings, Settings


def fan_out(balance: BalanceSettings) -> FanOut:
    """What executors take from the settings."""
    return FanOut(balance.workers, balance.threads, balance.retries)


def pair_format(settings: Settings) -> PairFormat:
    """How pairs are stored."""
    return PairFormat(settings.image.size, settings.balance.quality, settings.balance.lossless)
