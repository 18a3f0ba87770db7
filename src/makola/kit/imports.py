"""Imports that are not made where a module begins, because they take long."""

import gc
from importlib import import_module
from types import ModuleType


def import_late(name: str) -> ModuleType:
    """Import a module and return it; much faster where it imports many others."""
    was_enabled = gc.isenabled()
    gc.disable()  # hardly anything of what is imported becomes garbage, and looking for it takes time
    try:
        return import_module(name)
    finally:
        if was_enabled:
            gc.enable()
