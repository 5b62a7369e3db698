"""Look for words everywhere something is kept: log files, all of Postgres, Temporal's file and histories, what was said.

Words are looked for as they are and as they would stand in JSON, in an address, in hexadecimal and in Base64.
"""

import base64
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg
from temporalio.client import Client

SHORTEST = 6


@dataclass
class Places:
    """Whatever can be searched, by what it is called. A table of the database is `table NAME`."""

    found: dict[str, bytes] = field(default_factory=dict)

    def text(self, name: str, text: str) -> None:
        self.found[name] = self.found.get(name, b"") + text.encode(errors="replace")

    def folder(self, folder: Path) -> None:
        """Every file below it: logs, Temporal's database with what is still in its log."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.found[f"file {path.relative_to(folder)}"] = path.read_bytes()

    async def database(self, url: str) -> None:
        """Each table as text, whoever may see it: the URL is a superuser's."""
        connection = await asyncpg.connect(url)
        try:
            for row in await connection.fetch(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'public'"
            ):
                copied = io.BytesIO()
                await connection.copy_from_query(
                    f'SELECT * FROM {row["schemaname"]}."{row["tablename"]}"', output=copied
                )
                self.found[f"table {row['tablename']}"] = copied.getvalue()
        finally:
            await connection.close()

    async def histories(self, client: Client) -> None:
        """Every run that the namespace knows of: what happened in it, and how it is described."""
        async for run in client.list_workflows():
            handle = client.get_workflow_handle(run.id, run_id=run.run_id)
            self.text("histories", (await handle.fetch_history()).to_json())
            self.text("descriptions", str((await handle.describe()).raw_description))

    def hits(self, words: Iterable[str]) -> Mapping[str, set[str]]:
        """Which words are where."""
        lower = {name: content.lower() for name, content in self.found.items()}
        forms = {word: spelt(word) for word in words}
        found = {
            name: {word for word, spellings in forms.items() if any(one in content for one in spellings)}
            for name, content in lower.items()
        }
        return {name: words for name, words in found.items() if words}


def spelt(word: str) -> set[bytes]:
    """A word in the ways in which it could stand somewhere, in small letters as what is searched."""
    assert len(word) >= SHORTEST, "shorter ones are found anywhere"
    raw = word.encode()
    forms = {raw, quote(word, safe="").encode(), raw.hex().encode(), json.dumps(word)[1:-1].encode()}
    # Base64 of a longer text holds that of a part of it, in one of three ways; the letters at its ends depend on others.
    forms |= {base64.b64encode(b"\0" * n + raw)[4 if n else 0 : -4] for n in range(3)}
    return {form.lower() for form in forms if len(form) >= SHORTEST}
