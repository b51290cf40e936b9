"""Names of parts that are not understood, or have a side without the other."""

from __future__ import annotations

from collections.abc import Iterator

from augkit.data.audit.audit_check import Finding, check
from augkit.data.audit.measurements import Measurements
from augkit.data.part_name_faults import name_faults


@check("names", "parts of one side without a counterpart; names that tell no class")
def names(measurements: Measurements) -> Iterator[Finding]:
    """A warning: a flip, or every class, is wrong until a person says what the parts are."""
    for fault in name_faults(measurements.schema, measurements.catalogue):
        yield Finding("names", "warning", fault.message, fault.remedy)
