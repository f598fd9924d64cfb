"""Paths of the repository's files."""

import pathlib

ROOT = pathlib.Path(__file__).parents[2]
# The index file that the guides deploy to Firestore.
INDEXES = ROOT / "infra" / "firestore.indexes.json"
