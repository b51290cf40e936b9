"""The main job: plan what is missing, generate it in shards, gate it, write it next to the real pairs."""
