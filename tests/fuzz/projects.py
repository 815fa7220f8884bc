"""The projects whose plans are broken: the repository's own, the corpus's and, where it is there, the contract's."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """Good plans and the folder that they lie in.

    Attributes:
        root: of a project that may be written to.
        plans: their texts.
        trees: their trees.
    """

    root: Path
    plans: tuple[bytes, ...]
    trees: tuple[Any, ...]


def dumped(tree: Any, *, flow: bool | None = False) -> bytes:
    """Return a tree as YAML, without anchors."""
    text: str = yaml.dump(tree, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=100, default_flow_style=flow)
    return text.encode("utf-8", "surrogatepass")


class _Plain(yaml.CSafeDumper):
    """Writes every value out."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def projects(base: Path, contract: Path | None = None) -> tuple[Seeds, ...]:
    """Copy every project below a folder.

    Args:
        base: an empty folder.
        contract: the folder of the contract's plans.
    """
    own = _project(base / "own" / "root", _ROOT / "configs", sorted((_ROOT / "experiments").glob("*.yaml")))
    corpus = _ROOT / "tests" / "corpus"
    shutil.copytree(_ROOT / "graphs", own.root / "graphs")
    seeds = [own, _project(base / "corpus" / "root", corpus / "project" / "configs", _mended(corpus, base / "mended"))]
    if contract is not None:
        plans = sorted((contract / "experiments").glob("*.yaml"))
        seeds.append(_project(base / "contract" / "root", contract / "configs", plans))
    return tuple(seeds)


def _project(root: Path, configs: Path, plans: list[Path]) -> Seeds:
    shutil.copytree(configs, root / "configs")
    (root / "data").mkdir()
    texts = tuple(path.read_bytes() for path in plans)
    return Seeds(root=root, plans=texts, trees=tuple(map(yaml.safe_load, texts)))


def _mended(corpus: Path, folder: Path) -> list[Path]:
    """Return the corpus's bad plans after their mends."""
    folder.mkdir(parents=True)
    plans = []
    for case in yaml.safe_load((corpus / "plans" / "expected.yaml").read_bytes()):
        if "mended" in case:
            text = (corpus / "plans" / case["file"]).read_text(encoding="utf-8")
            plans.append(folder / case["file"])
            text = text.replace(case["mended"]["replace"], case["mended"]["with"], 1)
            plans[-1].write_text(text, encoding="utf-8")
    return plans
