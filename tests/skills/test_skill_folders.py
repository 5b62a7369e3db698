"""A folder is a skill, or one sentence says why it is none; whatever is in it, nothing else happens."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.providers.made import OUR_SKILLS
from activities.skills import folders, inputs
from activities.skills.folders import UnfitSkillError, notes, parse, read
from schemas.skills import Limits, Skill, Tool
from tests.skills.carried import skill_md


def check(folder: Path) -> list[str]:
    """What its user is told of a folder."""
    try:
        return notes(read(folder).skill)
    except UnfitSkillError as unfit:
        return [unfit.sentence]


def typer_skill() -> Path:
    """A skill of somebody else's, as its package brought it."""
    import typer  # noqa: PLC0415 - where it lies

    return Path(typer.__file__).parent / ".agents/skills/typer"


def unfit(files: dict[str, bytes], name: str = "drill") -> str:
    with pytest.raises(UnfitSkillError) as raised:
        parse(name, files)
    assert raised.value.sentence.endswith(".")
    return raised.value.sentence


def put(root: Path, files: dict[str, bytes], name: str = "drill") -> Path:
    folder = root / name
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def test_a_skill_of_somebody_elses_is_one_unchanged() -> None:
    found = read(typer_skill())
    assert found.skill.name == "typer"
    assert "Typer" in found.skill.description
    assert (found.skill.tools, found.skill.foreign, found.skill.inputs) == ((), (), None)
    assert found.instructions.startswith("# Typer")
    assert check(typer_skill()) == []


@pytest.mark.parametrize("name", ["account-plan", "follow-up", "objection-drill"])
def test_ours_are_fit_and_their_files_are_there(name: str) -> None:
    found = read(OUR_SKILLS / name)
    assert check(OUR_SKILLS / name) == []
    assert found.skill.tools and found.skill.inputs is not None
    assert all(f"`{path}`" in found.instructions for path in found.files)
    assert inputs.unfit_inputs(found.skill, {}) == ""


def test_all_that_stands_in_the_front_matter_is_read() -> None:
    front = """
license: MIT
compatibility: any
something-new: {deep: [1, 2]}
allowed-tools: "briefs, Read Bash(git add:*), calls"
metadata:
  greenroom:
    model: claude-haiku-5-5
    limits: {max_tokens: 900, turns: 3}
    inputs: {type: object, properties: {day: {type: string, default: 2026-11-23}}}
    output: markdown
"""
    skill = parse("drill", {"SKILL.md": skill_md(front=front), "notes/a.md": b"a"}).skill
    assert skill.model == "claude-haiku-5-5"
    assert skill.limits == Limits(max_tokens=900, turns=3)
    assert skill.tools == (Tool.BRIEFS, Tool.CALLS)
    assert skill.foreign == ("Read", "Bash(git add:*)")
    assert skill.inputs == {"type": "object", "properties": {"day": {"type": "string", "default": "2026-11-23"}}}
    assert skill.files == ("notes/a.md",)


def test_our_keys_at_the_top_are_read_and_those_of_the_metadata_go_before() -> None:
    front = "limits: {turns: 3}\nmodel: a\nmetadata: {greenroom: {model: b}}"
    skill = parse("drill", {"SKILL.md": skill_md(front=front)}).skill
    assert (skill.model, skill.limits.turns) == ("b", 3)


def test_what_is_foreign_is_told(tmp_path: Path) -> None:
    (said,) = check(put(tmp_path, {"SKILL.md": skill_md(front="allowed-tools: [Bash, briefs, WebFetch]")}))
    assert "Bash, WebFetch" in said and "briefs" not in said


def test_a_version_is_of_all_names_and_bytes() -> None:
    files = {"SKILL.md": skill_md(), "a.md": b"x", "b.md": b"y"}
    one = parse("drill", files).skill.version
    assert one == parse("drill", dict(reversed(files.items()))).skill.version
    assert parse("drill", {**files, "x": b"yz"}).skill.version != parse("drill", {**files, "xy": b"z"}).skill.version
    others = [{**files, "a.md": b"z"}, {**files, "c.md": b""}, {**files, "a.md": b"y", "b.md": b"x"}]
    assert len({one, *(parse("drill", other).skill.version for other in others)}) == 4


BOMB = "a: &a [x]\n" + "".join(
    f"{two}: &{two} [{', '.join([f'*{one}'] * 9)}]\n" for one, two in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("front", "said"),
    [
        pytest.param(BOMB, "plain YAML", id="alias-bomb"),
        pytest.param("x: !!python/object/apply:os.system ['true']", "plain YAML", id="tag"),
        pytest.param("x: !!int ''", "plain YAML", id="empty-int"),
        pytest.param("x: [" * 5000, "plain YAML", id="deep"),
        pytest.param("x: " + "9" * 9000, "plain YAML", id="endless-number"),
        pytest.param("x: .nan", "plain YAML", id="nan"),
        pytest.param("x: 1e999", "", id="word-that-looks-like-a-number"),
        pytest.param("{", "plain YAML", id="broken"),
        pytest.param("x: y\n" * 9000, "KiB", id="long"),
        pytest.param("? [a]\n: b", "plain YAML", id="key-that-is-none"),
        pytest.param("limits: {turns: 0}", "limits.turns", id="no-turns"),
        pytest.param("limits: {max_tokens: 1000000}", "limits.max_tokens", id="too-many-tokens"),
        pytest.param("output: html", "output", id="output"),
        pytest.param("allowed-tools: 7", "allowed-tools", id="tools"),
        pytest.param("inputs: [1]", "inputs", id="inputs-list"),
        pytest.param("inputs: {type: string}", "type object", id="inputs-string"),
        pytest.param("inputs: {type: object, properties: {a: {type: nonsense}}}", "JSON Schema", id="inputs-nonsense"),
        pytest.param(
            "inputs: {type: object, properties: {a: {$ref: 'https://schemas.example/x'}}}", "elsewhere", id="remote"
        ),
        pytest.param("inputs: {type: object, properties: {a: {$ref: 'file:///etc/passwd'}}}", "elsewhere", id="file"),
        pytest.param("inputs: {type: object, properties: {a: {pattern: '(?=a)'}}}", "JSON Schema", id="pattern"),
    ],
)
def test_front_matter_that_does_not_fit_is_one_sentence(front: str, said: str) -> None:
    if not said:
        assert parse("drill", {"SKILL.md": skill_md(front=front)}).skill.name == "drill"
        return
    assert said in unfit({"SKILL.md": skill_md(front=front)})


def test_a_schema_elsewhere_is_not_fetched_though_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text('{"type": "string"}')
    front = f"inputs: {{type: object, properties: {{a: {{$ref: 'file://{tmp_path}/schema.json'}}}}}}"
    assert "elsewhere" in unfit({"SKILL.md": skill_md(front=front)})


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param({}, "no SKILL.md", id="nothing"),
        pytest.param({"skill.md": skill_md()}, "no SKILL.md", id="small-letters"),
        pytest.param({"SKILL.md": b"# Drill"}, "front matter", id="no-front-matter"),
        pytest.param({"SKILL.md": b"---\nname: drill"}, "front matter", id="no-end"),
        pytest.param({"SKILL.md": b"---\n- a\n---\nx"}, "list of names", id="list"),
        pytest.param({"SKILL.md": b"---\nname: drill\n---\nx"}, "description", id="no-description"),
        pytest.param({"SKILL.md": b"---\nname: drill\ndescription: x\n---\n"}, "no instructions", id="no-instructions"),
        pytest.param({"SKILL.md": b"\xff\xfe" + skill_md()}, "UTF-8", id="bytes"),
        pytest.param({"SKILL.md": skill_md() + b"x" * 256 * 1024}, "256 KiB", id="long"),
        pytest.param({"SKILL.md": skill_md(name="other")}, "'other'", id="another-name"),
        pytest.param({"SKILL.md": skill_md(), "a": b"x" * 5 * 1024 * 1024}, "5 MiB", id="heavy"),
        pytest.param({"SKILL.md": skill_md(), **{str(n): b"" for n in range(200)}}, "200 files", id="many"),
        pytest.param({"SKILL.md": skill_md(), "../x": b""}, "name", id="outside"),
        pytest.param({"SKILL.md": skill_md(), "a/../../x": b""}, "name", id="outside-within"),
        pytest.param({"SKILL.md": skill_md(), "/etc/x": b""}, "name", id="absolute"),
        pytest.param({"SKILL.md": skill_md(), "a\n</skill>": b""}, "name", id="line-break"),
        pytest.param({"SKILL.md": skill_md(), "a\\b": b""}, "name", id="backslash"),
    ],
)
def test_files_that_are_no_skill_are_one_sentence(files: dict[str, bytes], said: str) -> None:
    assert said in unfit(files)


@pytest.mark.parametrize("name", ["", "Drill", "-drill", "a" * 65, "a b", "..", "drill\n", "dr/ill"])
def test_a_folder_with_such_a_name_is_none(name: str) -> None:
    assert "small letters" in unfit({"SKILL.md": skill_md(name=name or "x")}, name)


def test_lines_may_end_as_they_like() -> None:
    text = b"\xef\xbb\xbf" + skill_md().replace(b"\n", b"\r\n")
    assert parse("drill", {"SKILL.md": text}).instructions == "# Drill\n\nWrite something."


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = put(tmp_path, {"SKILL.md": skill_md()})
    (folder / "notes.md").symlink_to(tmp_path / "secret")
    assert "leads out" in check(folder)[0]


def test_a_link_to_a_folder_outside_is_refused(tmp_path: Path) -> None:
    folder = put(tmp_path, {"SKILL.md": skill_md()})
    (folder / "all").symlink_to("/etc")
    assert "leads out" in check(folder)[0]


def test_a_link_around_and_one_within_do_no_harm(tmp_path: Path) -> None:
    folder = put(tmp_path, {"SKILL.md": skill_md(), "a.md": b"x"})
    (folder / "round").symlink_to(folder)
    (folder / "b.md").symlink_to(folder / "a.md")
    assert read(folder).files == {"a.md": b"x", "b.md": b"x"}
    (folder / "self.md").symlink_to(folder / "self.md")
    assert "cannot be read" in check(folder)[0]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    folder = put(tmp_path, {"SKILL.md": skill_md()})
    os.mkfifo(folder / "pipe")
    assert "no file" in check(folder)[0]


def test_what_is_hidden_is_not_of_the_skill(tmp_path: Path) -> None:
    folder = put(tmp_path, {"SKILL.md": skill_md(), ".git/config": b"x", ".env": b"x", "__pycache__/a": b"x"})
    assert read(folder).files == {}


def test_a_folder_of_much_is_not_read_to_its_end(tmp_path: Path) -> None:
    folder = put(tmp_path, {"SKILL.md": skill_md()})
    with (folder / "sparse").open("wb") as file:
        file.truncate(100 * 1024**3)
    assert "5 MiB" in check(folder)[0]


def test_no_folder_at_all_is_one_sentence(tmp_path: Path) -> None:
    assert check(tmp_path / "nowhere") == ["It cannot be read (FileNotFoundError)."]


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_whatever_is_in_it_is_a_skill_or_a_sentence(data: bytes) -> None:
    try:
        assert parse("drill", {"SKILL.md": b"---\nname: drill\ndescription: x\n" + data}).skill.name == "drill"
    except UnfitSkillError as error:
        assert error.sentence.endswith(".")


WORDS = st.text(st.sampled_from("ab :-*&!|>#'\"{}[]\n\t\0\u2028\u00e9\U0001f600"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.dates(),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(WORDS, one, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["model", "limits", "inputs", "output", "metadata", "allowed-tools"]), VALUES))
def test_whatever_is_said_is_a_skill_or_a_sentence(said: dict[str, object]) -> None:
    front = yaml.safe_dump(said, allow_unicode=True)
    try:
        found = parse("drill", {"SKILL.md": skill_md(front="" if not said else front)})
        assert isinstance(inputs.unfit_inputs(found.skill, {"a": 1}), str)
    except UnfitSkillError as error:
        assert error.sentence.endswith(".")


ASKING = Skill(
    name="drill",
    description="x",
    version="v",
    inputs={
        "type": "object",
        "additionalProperties": False,
        "required": ["count"],
        "properties": {
            "count": {"type": "integer", "maximum": 9},
            "meeting": {"type": "string", "format": "meeting"},
            "word": {"type": "string", "pattern": "^(a+)+$"},
        },
    },
)
MEETING = "7c0b6a1e-0000-4000-8000-000000000009"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"count": 3}, ""),
        ({"count": 3, "meeting": MEETING}, ""),
        ({}, "count"),
        ({"count": "three-secret"}, "integer"),
        ({"count": 30}, "maximum"),
        ({"count": 3, "more-of-it": 1}, "unexpected"),
        ({"count": float("nan")}, "JSON"),
        ({"count": 3, "word": "a" * 30_000}, "letters"),
        ({"count": 3, "word": "a" * 5000 + "b"}, "word"),
    ],
    ids=["fit", "meeting", "missing", "type", "maximum", "more", "nan", "long", "slow-pattern"],
)
def test_inputs_fit_their_schema_or_one_sentence_says_why_not(given: dict[str, object], said: str) -> None:
    sentence = inputs.unfit_inputs(ASKING, given)
    assert said in sentence
    assert bool(sentence) == bool(said)
    assert "secret" not in sentence and len(sentence) <= 301


def test_inputs_nested_without_end_are_refused() -> None:
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    assert inputs.unfit_inputs(ASKING, {"count": deep}) == "The inputs cannot be read as JSON."


def test_a_skill_without_inputs_takes_none() -> None:
    plain = ASKING.model_copy(update={"inputs": None})
    assert inputs.unfit_inputs(plain, {}) == ""
    assert "takes no inputs" in inputs.unfit_inputs(plain, {"a": 1})


def test_names_that_are_kept_are_the_ones_that_are_known() -> None:
    assert folders.NAME.fullmatch("a" * 64) and not folders.NAME.fullmatch("a" * 65)
