"""Pictures of a result: contact sheets and charts."""
