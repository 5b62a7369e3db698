"""Come here for the invented calls: who spoke, what they said, and when. A recorder's stand-in serves them.

One YAML file is one call, its turns as a script; `workshop` makes the long one. All of it is fictional.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from sandbox.calls import workshop
from sandbox.calls.script import InventedCall, Sentence, Voice, spoken

__all__ = ["CALLS", "InventedCall", "Sentence", "Voice"]


def _read(path: Path) -> InventedCall:
    """Turns name their speakers by first name, as a script does."""
    said: dict[str, Any] = yaml.safe_load(path.read_text())
    speakers = tuple(Voice(one["name"], one.get("email"), one.get("ours", False)) for one in said["speakers"])
    names = {voice.name.split()[0]: voice.name for voice in speakers}
    turns = ((names[first], text) for turn in said["turns"] for first, text in turn.items())
    return InventedCall(said["id"], said["title"], timedelta(days=said["days_ago"]), speakers, spoken(turns))


CALLS = (*(_read(path) for path in sorted(Path(__file__).parent.glob("*.yaml"))), workshop.call())
