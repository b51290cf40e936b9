"""The checks, one file each (or each family): dropping one in adds it to the audit, its page and its help."""
