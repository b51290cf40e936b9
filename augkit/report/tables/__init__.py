"""What the command line prints: tables of results, one file a kind of result."""
