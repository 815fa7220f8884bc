"""The tampers: each changes one thing of a project's record and says where the audit must find it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cxcausal.core.canonical import canonical_json, sha256_of
from cxcausal.tracking.ulid import new_ulid
from tests.tampering.workshop import Workshop, files_of


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Where a tamper must be found: the codes that tell of it, and what its place must contain."""

    codes: frozenset[str]
    places: tuple[str, ...]


Tamper = Callable[[Workshop], Trace]


def _trace(codes: str, *places: str) -> Trace:
    return Trace(codes=frozenset(codes.split()), places=places)


def _name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def _bent(shop: Workshop, content: bytes) -> bytes:
    """Return other bytes: one bit turned, cut off, or more than there were."""
    way = shop.draw.randrange(3)
    if way == 0:
        at = shop.draw.randrange(len(content))
        return content[:at] + bytes([content[at] ^ (1 << shop.draw.randrange(8))]) + content[at + 1 :]
    return content[: shop.draw.randrange(len(content))] if way == 1 else content + b" "


def param(shop: Workshop) -> Trace:
    """Edit, remove or add a param."""
    folder = shop.run()
    run = shop.mlflow_id(folder)
    key = shop.draw.choice(shop.rows("SELECT key FROM params WHERE run_uuid = :run ORDER BY key", run=run))[0]
    way = shop.draw.randrange(3)
    if way == 0:
        shop.sql("UPDATE params SET value = value || '1' WHERE run_uuid = :run AND key = :key", run=run, key=key)
    elif way == 1:
        shop.sql("DELETE FROM params WHERE run_uuid = :run AND key = :key", run=run, key=key)
    else:
        key = "approved"
        shop.sql("INSERT INTO params VALUES ('approved', 'yes', :run)", run=run)
    return _trace("I741", f"mlflow {_name(folder)} param {key}")


def metric(shop: Workshop) -> Trace:
    """Edit a metric everywhere, in its history or on the page only, make it no number, remove or add one."""
    folder = shop.run()
    run = shop.mlflow_id(folder)
    key = shop.draw.choice(shop.rows("SELECT key FROM metrics WHERE run_uuid = :run ORDER BY key", run=run))[0]
    changes = shop.draw.choice(_METRIC_CHANGES)
    shop.sql(*(f"{change} WHERE run_uuid = :run AND key = :key" for change in changes), run=run, key=key)
    return _trace("I742", f"mlflow {_name(folder)} metric {key}")


_METRIC_CHANGES = (
    ("UPDATE metrics SET value = value * 2", "UPDATE latest_metrics SET value = value * 2"),
    ("UPDATE latest_metrics SET value = value + 1e-9",),
    ("UPDATE metrics SET value = -value",),
    ("UPDATE metrics SET is_nan = 1, value = 0", "UPDATE latest_metrics SET is_nan = 1, value = 0"),
    ("DELETE FROM metrics", "DELETE FROM latest_metrics"),
    ("INSERT INTO metrics SELECT key, value + 1, timestamp + 1, run_uuid, step + 1, 0 FROM metrics",),
    ("UPDATE metrics SET timestamp = timestamp + 1",),
)


def tag(shop: Workshop) -> Trace:
    """Edit, remove or add one of our tags."""
    folder = shop.run()
    run = shop.mlflow_id(folder)
    keys = shop.rows("SELECT key FROM tags WHERE run_uuid = :run AND key LIKE 'cx.%' ORDER BY key", run=run)
    key = shop.draw.choice(keys)[0]
    way = shop.draw.randrange(3)
    if way == 0:
        shop.sql("UPDATE tags SET value = 'ship it' WHERE run_uuid = :run AND key = :key", run=run, key=key)
    elif way == 1:
        shop.sql("DELETE FROM tags WHERE run_uuid = :run AND key = :key", run=run, key=key)
    else:
        key = "cx.approved"
        shop.sql("INSERT INTO tags (key, value, run_uuid) VALUES ('cx.approved', 'yes', :run)", run=run)
    return _trace("I743", f"mlflow {_name(folder)} tag {key}")


def attribute(shop: Workshop) -> Trace:
    """Change what MLflow says of the run itself."""
    folder = shop.run()
    changes = {
        "status": "status = 'FAILED'",
        "name": "name = 'another'",
        "start": "start_time = start_time - 86400000",
        "life": "lifecycle_stage = 'deleted'",
    }
    key = shop.draw.choice(sorted(changes))
    shop.sql(f"UPDATE runs SET {changes[key]} WHERE run_uuid = :run", run=shop.mlflow_id(folder))  # noqa: S608 - ours
    return _trace("I746", f"mlflow {_name(folder)} {key}")


def input_hash(shop: Workshop) -> Trace:
    """Give an input another hash, or none."""
    folder = shop.run()
    ways = (
        "UPDATE input_tags SET value = 'ab' WHERE input_uuid IN (SELECT input_uuid",
        "UPDATE datasets SET digest = 'ab' WHERE dataset_uuid IN (SELECT source_id",
        "DELETE FROM inputs WHERE destination_id IN (SELECT destination_id",
    )
    shop.sql(f"{shop.draw.choice(ways)} FROM inputs WHERE destination_id = :run)", run=shop.mlflow_id(folder))
    return _trace("I747", f"mlflow {_name(folder)} input data/callback.csv")


def artifact(shop: Workshop) -> Trace:
    """Change a byte of a run's file, cut it off, remove it, or add one."""
    folder = shop.run()
    path = shop.draw.choice([path for path in files_of(folder) if path.name != "manifest.json"])
    way = shop.draw.randrange(4)
    if way == 0:
        shop.remove(path)
    elif way == 1:
        path = path.with_name("better.json")
        shop.write(path, b"{}")
    else:
        shop.write(path, _bent(shop, path.read_bytes()))
    return _trace("I702", f"{_name(folder)}/{path.relative_to(folder).as_posix()}")


def mlflow_artifact(shop: Workshop) -> Trace:
    """The same with MLflow's copies, or let MLflow look for them elsewhere."""
    folder = shop.run()
    there = shop.mlflow_folder(folder)
    path = shop.draw.choice(files_of(there))
    way = shop.draw.randrange(5)
    if way == 0:
        shop.remove(path)
    elif way == 1:
        path = path.with_name("better.json")
        shop.write(path, b"{}")
    elif way == 2:
        shop.sql("UPDATE runs SET artifact_uri = 'file:///tmp/x' WHERE run_uuid = :run", run=shop.mlflow_id(folder))
        return _trace("I744", f"mlflow {_name(folder)} artifacts")
    else:
        shop.write(path, _bent(shop, path.read_bytes()))
    return _trace("I744", f"mlflow {_name(folder)} artifact {path.relative_to(there).as_posix()}")


def manifest(shop: Workshop) -> Trace:
    """Change the manifest, alone or so that it fits a result that was changed as well."""
    folder = shop.run()
    path = folder / "manifest.json"
    if shop.draw.random() < 0.5:
        shop.write(path, _bent(shop, path.read_bytes()))
        return _trace("I702 I704", _name(folder))
    _forge(shop, folder)
    return _trace("I704", _name(folder))


def _forge(shop: Workshop, folder: Path) -> None:
    """Turn the verdict of a run and let its manifest vouch for it."""
    results, path = folder / "results/results.json", folder / "manifest.json"
    found = json.loads(results.read_bytes())
    found["verdict"] = "ship" if found["verdict"] != "ship" else "stop"
    for arm in found["arms"].values():
        arm["verdict"] = found["verdict"]
    shop.write(results, canonical_json(found))
    listed = json.loads(path.read_bytes())
    for item in listed["artifacts"]:
        if item["path"] == "results/results.json":
            item.update(sha256=sha256(results.read_bytes()).hexdigest(), size=results.stat().st_size)
    shop.write(path, canonical_json(listed))


def forged_to_the_end(shop: Workshop) -> Trace:
    """Turn a verdict in results, manifest and ledger, and hash the whole chain again."""
    folder = shop.run()
    _forge(shop, folder)
    verdict = json.loads((folder / "results/results.json").read_bytes())["verdict"]
    digest = sha256((folder / "manifest.json").read_bytes()).hexdigest()
    number = _line_of(shop, folder)
    shop.rechain(number, lambda payload: payload.update(verdict=verdict, manifest=digest))
    return _trace("I714", f"audit/ledger.jsonl:{number + 1}")


def rewritten_chain(shop: Workshop) -> Trace:
    """Change what a line says of a run, and hash the whole chain again."""
    number = shop.draw.randrange(len(shop.ledger()))
    shop.rechain(number, lambda payload: payload.update(plan_hash="d" * 64))
    return _trace("I714", f"audit/ledger.jsonl:{number + 1}")


def edited_plan(shop: Workshop) -> Trace:
    """Edit a plan: the run's own, MLflow's copy, or the one that was registered."""
    way = shop.draw.randrange(3)
    if way == 0:
        number = next(n for n, line in enumerate(shop.ledger()) if json.loads(line)["kind"] == "register")
        lines = shop.ledger()
        shop.write_ledger([*lines[:number], _harder(lines[number]), *lines[number + 1 :]])
        return _trace("I711", f"audit/ledger.jsonl:{number + 1}")
    folder = shop.run()
    path = (folder if way == 1 else shop.mlflow_folder(folder)) / "plan/resolved.json"
    shop.write(path, _harder(path.read_bytes()))
    if way == 1:
        return _trace("I702", f"{_name(folder)}/plan/resolved.json")
    return _trace("I744", f"mlflow {_name(folder)} artifact plan/resolved.json")


def _harder(plan: bytes) -> bytes:
    return plan.replace(b"within a day", b"within a week")


def deleted_run(shop: Workshop) -> Trace:
    """Delete a run here, or in MLflow."""
    folder = shop.run()
    if shop.draw.random() < 0.5:
        shop.remove(folder)
        return _trace("I706", _name(folder))
    tables = ("params", "tags", "metrics", "latest_metrics", "runs")
    shop.sql(*(f"DELETE FROM {table} WHERE run_uuid = :run" for table in tables), run=shop.mlflow_id(folder))  # noqa: S608
    return _trace("I740", f"mlflow {_name(folder)}")


def smuggled_run(shop: Workshop) -> Trace:
    """Put a run there that nobody recorded: on disk, or in MLflow."""
    folder = shop.run()
    if shop.draw.random() < 0.5:
        other = folder.with_name(new_ulid())
        shop.copy(folder, other)
        return _trace("I703", _name(other))
    run = "f" * 32
    columns = "status, start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id"
    shop.sql(
        f"INSERT INTO runs (run_uuid, name, {columns}) SELECT :new, name, {columns} FROM runs WHERE run_uuid = :run",  # noqa: S608 - ours
        "INSERT INTO tags (key, value, run_uuid) SELECT key, value, :new FROM tags WHERE run_uuid = :run",
        run=shop.mlflow_id(folder),
        new=run,
    )
    return _trace("I745", f"mlflow cx/{folder.parent.name}/{run}")


def swapped_runs(shop: Workshop) -> Trace:
    """Give one run the files of another."""
    one = shop.run()
    other = shop.draw.choice([path for path in one.parent.iterdir() if path != one])
    aside = shop.root.parent / "swapped"
    shutil.copytree(other, aside)
    shop.remove(one)
    shop.copy(aside, one)
    shutil.rmtree(aside)
    return _trace("I704", _name(one))


def ledger_line(shop: Workshop) -> Trace:
    """Change, remove, repeat or move a line of the ledger."""
    lines = shop.ledger()
    at = shop.draw.randrange(len(lines) - 1)
    way = shop.draw.randrange(4)
    if way == 0:
        bent = lines[at].rstrip(b"\n")
        spot = shop.draw.randrange(len(bent))
        lines[at] = bent[:spot] + bytes([bent[spot] ^ 1]) + bent[spot + 1 :] + b"\n"
    elif way == 1:
        del lines[at]
    elif way == 2:
        lines.insert(at + 1, lines[at])
        at += 1
    else:
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    shop.write_ledger(lines)
    return _trace("I711", *(f"audit/ledger.jsonl:{number}" for number in (at + 1, at + 2)))


def truncated_ledger(shop: Workshop) -> Trace:
    """Cut the ledger's end off; only what was kept of it shows that no line is missing in its middle."""
    lines = shop.ledger()
    left = shop.draw.randrange(len(lines))
    shop.write_ledger(lines[:left])
    return _trace("I714", f"audit/ledger.jsonl:{left + 1}")


def forged_signature(shop: Workshop) -> Trace:
    """Add a line with all its hashes right: who ran the analysis approves it, or decides upon it."""
    lines = [json.loads(line) for line in shop.ledger()]
    run = shop.draw.choice([line for line in lines if line["kind"] == "analyse"])["payload"]
    decision = {"decision": run["verdict"], "verdict": run["verdict"], "reason": None}
    kind, code, more = shop.draw.choice(
        (("approve", "I717", {"manifest": run["manifest"]}), ("decide", "I718", decision))
    )
    last = lines[-1]
    experiment = next(line["experiment"] for line in lines if line["payload"].get("run_id") == run["run_id"])
    content = {
        **{key: last[key] for key in ("at", "actor_source")},
        "seq": last["seq"] + 1,
        "kind": kind,
        "actor": "ann@example.com",
        "experiment": experiment,
        "payload": {"run_id": run["run_id"], **more},
        "previous": last["hash"],
    }
    line = {**content, "hash": sha256_of(content)}
    shop.write_ledger([*shop.ledger(), canonical_json(line) + b"\n"])
    return _trace(code, f"audit/ledger.jsonl:{len(lines) + 1}")


def hidden_run(shop: Workshop) -> Trace:
    """Let a recorded run look as if it had failed."""
    folder = shop.run()
    path = folder / "status.json"
    shop.write(path, path.read_bytes().replace(b"FINISHED", shop.draw.choice((b"FAILED", b"KILLED"))))
    return _trace("I707", f"{_name(folder)}/status.json")


def published_report(shop: Workshop) -> Trace:
    """Change the page that people read."""
    folder = shop.run()
    path = shop.root / "reports" / folder.parent.name / folder.name / "index.html"
    shop.write(path, path.read_bytes().replace(b"<title>", b"<title>Ship: "))
    return _trace("I708", f"reports/{_name(folder)}/index.html")


def _line_of(shop: Workshop, folder: Path) -> int:
    """Return the position of the line that recorded a run."""
    lines: list[Any] = [json.loads(line) for line in shop.ledger()]
    return next(n for n, line in enumerate(lines) if line["payload"].get("run_id") == folder.name)


CATALOG: dict[str, Tamper] = {
    "param": param,
    "metric": metric,
    "tag": tag,
    "attribute of a run in MLflow": attribute,
    "input's hash in MLflow": input_hash,
    "artifact": artifact,
    "artifact in MLflow": mlflow_artifact,
    "manifest": manifest,
    "everything forged, chain rewritten": forged_to_the_end,
    "chain rewritten": rewritten_chain,
    "edited plan": edited_plan,
    "deleted run": deleted_run,
    "smuggled run": smuggled_run,
    "swapped runs": swapped_runs,
    "ledger line": ledger_line,
    "truncated ledger": truncated_ledger,
    "forged signature": forged_signature,
    "hidden run": hidden_run,
    "published report": published_report,
}
