"""Named collections that a feature joins by decorator: one file dropped in adds one feature."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from augkit.core.errors import RegistryError
from augkit.core.nearest import one_of

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps names to entries of one kind, e.g. every generator.

    ``package`` names the package whose modules register themselves; it is imported on the first look-up, so that
    building a registry costs nothing.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind, self.package = kind, package
        self._entries: dict[str, T] = {}
        self._loaded = False

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that adds an entry. Raises RegistryError where the name is taken."""

        def add(entry: T) -> T:
            if name in self._entries:
                raise RegistryError(f"two entries named {name!r} among the {self.kind}s", "names that differ")
            self._entries[name] = entry
            return entry

        return add

    def __getitem__(self, name: str) -> T:
        self._load()
        if name not in self._entries:
            raise RegistryError(f"no {self.kind} named {name!r}", one_of(name, self), "choose a listed name")
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._entries))

    def __contains__(self, name: str) -> bool:
        self._load()
        return name in self._entries

    def _load(self) -> None:
        if self._loaded:
            return
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        self._loaded = True
