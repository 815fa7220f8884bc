"""The files of a team's set-up agree with one another, with the locked versions and with their page."""

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
TEAM = ROOT / "docs/team"
SCRIPT = (TEAM / "serve.sh").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/team.md").read_text(encoding="utf-8")


def test_docker_starts_the_script_that_the_tests_start() -> None:
    services = yaml.safe_load((TEAM / "compose.yaml").read_text(encoding="utf-8"))["services"]
    told = services["mlflow"]["environment"]
    assert set(told) <= set(re.findall(r"TEAM_[A-Z]+", SCRIPT))
    assert {"TEAM_STORE", "TEAM_ARTIFACTS"} <= set(told)
    assert services["mlflow"]["ports"] == ["127.0.0.1:5000:5000"]
    assert not services["database"].get("ports")
    built = (TEAM / services["mlflow"]["build"]["dockerfile"]).read_text(encoding="utf-8")
    assert "COPY serve.sh" in built


def test_the_image_has_the_locked_versions() -> None:
    built = (TEAM / "Dockerfile").read_text(encoding="utf-8")
    locks = [ROOT / "requirements.lock", ROOT / "tests/engines/requirements.lock"]
    locked = "\n".join(path.read_text(encoding="utf-8") for path in locks)
    pins = re.findall(r'"([a-z]+)(?:\[\w+\])?==([\d.]+)"', built)
    assert [name for name, _ in pins] == ["mlflow", "psycopg"]
    for name, version in pins:
        assert re.search(rf"^{name}=={re.escape(version)}\b", locked, re.MULTILINE), name


def test_the_script_says_what_it_misses() -> None:
    for given, missing in (({}, "TEAM_STORE"), ({"TEAM_STORE": "postgresql://h/d"}, "TEAM_ARTIFACTS")):
        words = ["/bin/sh", str(TEAM / "serve.sh")]
        done = subprocess.run(words, env=given, capture_output=True, text=True, check=False, timeout=20)
        assert done.returncode != 0
        assert missing in done.stderr


def test_the_page_names_what_is_there() -> None:
    for name in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (ROOT / "docs" / name).is_file()
    assert set(re.findall(r"TEAM_(?:STORE|ARTIFACTS|NAMES)", PAGE)) <= set(re.findall(r"TEAM_[A-Z]+", SCRIPT))
    assert re.search(r"^team: ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert "make team" in PAGE
