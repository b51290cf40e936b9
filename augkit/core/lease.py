"""A lock in a store that has none: an object with its owner's name, which the owner renews while it works.

Who finds one watches it: one that is renewed has an owner, one that stands still for ``LEASE`` seconds has lost it, and
so has one whose process was on this machine and is gone. No clocks are compared. It is advisory: an owner that is cut
off from the store for longer than that may find that another one has begun. Of shards and models that is harmless, for
they are put whole and both write the same bytes, unless their settings differ.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from augkit.core.errors import AugkitError, BusyError
from augkit.core.object_store import FsspecStorage
from augkit.core.owner import busy, owner_here

RENEW, LEASE, ASK = 5.0, 20.0, 0.5
"""Seconds between renewals, until a lease that is not renewed is void, and between two looks at one."""


@contextmanager
def leased(
    store: FsspecStorage, name: str, patience: float = 0.0, meanwhile: Callable[[], None] | None = None
) -> Iterator[None]:
    """The object ``name`` is ours for as long as this lasts; ``meanwhile`` is called with each renewal.

    Raises BusyError where another process renews it still after ``patience`` seconds.
    """
    lease = _Lease(store, name, meanwhile)
    lease.take(patience)
    ended = threading.Event()
    renewing = threading.Thread(target=lease.renew_until, args=(ended,), name=f"lease of {name}", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        lease.give_back()


class _Lease:
    def __init__(self, store: FsspecStorage, name: str, meanwhile: Callable[[], None] | None) -> None:
        self.store, self.name, self.meanwhile = store, name, meanwhile
        self.own = {**owner_here(), "machine": machine(), "token": secrets.token_hex(8)}

    def take(self, patience: float) -> None:
        """See ``leased``."""
        begun = seen_at = time.monotonic()
        seen: dict[str, Any] | None = None
        while True:
            self.store.create(self.name, self._text(0))
            found = self._found()
            if found is None:
                continue  # it was given back just now
            if found.get("token") == self.own["token"]:
                return
            if seen is not None and found != seen and time.monotonic() - begun >= patience:
                raise busy(f"{self.store}/{self.name}", found)
            if found != seen:
                seen, seen_at = found, time.monotonic()
            if _is_dead(found) or time.monotonic() - seen_at > LEASE:
                self.store.remove(self.name)
            else:
                time.sleep(ASK)

    def renew_until(self, ended: threading.Event) -> None:
        """Says that its owner lives, until it ends or another one has taken over."""
        count = 0
        while not ended.wait(RENEW):
            count += 1
            try:
                found = self._found()
                if found is not None and found.get("token") != self.own["token"]:
                    warnings.warn(str(busy(f"{self.store}/{self.name}", found)), RuntimeWarning, stacklevel=2)
                    return
                self.store.put(self.name, self._text(count))
                if self.meanwhile is not None:
                    self.meanwhile()
            except (AugkitError, OSError) as error:  # what needs the store itself will say so, too
                warnings.warn(str(error), RuntimeWarning, stacklevel=2)

    def give_back(self) -> None:
        """Removes it, if it is ours still; where the store does not answer, it will be void."""
        with suppress(AugkitError):
            found = self._found()
            if found is not None and found.get("token") == self.own["token"]:
                self.store.remove(self.name)

    def _text(self, count: int) -> bytes:
        return json.dumps({**self.own, "renewed": count}).encode()

    def _found(self) -> dict[str, Any] | None:
        """What is there; None where nothing is."""
        if not self.store.exists(self.name):
            return None
        try:
            said = json.loads(self.store.read(self.name))
        except (BusyError, ValueError):
            return {}
        except AugkitError:
            if self.store.exists(self.name):
                raise
            return None
        return said if isinstance(said, dict) else {}


def _is_dead(owner: dict[str, Any]) -> bool:
    """Whether its process was on this machine and is gone."""
    if owner.get("machine") != machine():
        return False
    try:
        return bool(psutil.Process(int(owner["pid"])).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def machine() -> str:
    """The machine since it was started, as this container sees it."""
    boot, name = Path("/proc/sys/kernel/random/boot_id"), os.uname().nodename
    return f"{name} {boot.read_text().strip()}" if boot.is_file() else name
