"""One zygote per worker, and a project with an earlier run in its record that no fault may touch."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project, customers, new_project
from tests.faults import ills
from tests.faults.machine import Job, Machine
from tests.faults.zygote import seen

CALLBACK, EARLIER = "experiments/callback.yaml", "experiments/earlier.yaml"


@dataclass(frozen=True, kw_only=True)
class World:
    """A project of its own, and its record before anything happened to it."""

    root: Path
    before: dict[str, Any]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    started = Machine(tmp_path_factory.mktemp("notes"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path, machine: Machine) -> Path:
    """A project with two registered plans; one of them was run, and is in MLflow."""
    project: Project = new_project(tmp_path_factory.mktemp("earlier") / "project", mlflow_template)
    for name in ("callback", "earlier"):
        project.plan(name=name, id=name)
        assert machine.run(Job(root=project.root, words=("register", f"experiments/{name}.yaml"))).code == 0
    project.data(customers(400))
    assert machine.run(Job(root=project.root, words=("run", EARLIER))).code == 0
    return project.root


@pytest.fixture
def world(tmp_path: Path, earlier: Path) -> World:
    root = tmp_path / "project"
    shutil.copytree(earlier, root, symlinks=True)
    return World(root=root, before=seen(root))


@pytest.fixture(scope="session")
def own_mounts(machine: Machine, earlier: Path) -> str | None:
    """Why this machine gives its tests no mounts of their own, or None where it does."""
    done = machine.run(Job(root=earlier, words=("--version",), world=(("own_mounts",),)))
    return None if done.code == 0 else ills.UNSHARED
