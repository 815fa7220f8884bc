"""Checks an exported record with nothing but Python's standard library: the chain, and every file it vouches for."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

GENESIS = "0" * 64


def canonical(value: object) -> bytes:
    """Return JSON with sorted keys and no white space, in UTF-8: what every hash is taken over."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def check_chain(lines: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with the ledger: a changed line, or one whose predecessor is not above it."""
    wrong, above = [], {GENESIS}
    for number, line in enumerate(lines, start=1):
        content = {key: value for key, value in line.items() if key != "hash"}
        if hashlib.sha256(canonical(content)).hexdigest() != line["hash"]:
            wrong.append(f"ledger.jsonl:{number}: this line was changed after it was written")
        heads = line["payload"].get("heads", []) if line["kind"] == "merge" else []
        if not {line["previous"], *heads} <= above:
            wrong.append(f"ledger.jsonl:{number}: the line before this one was removed or moved")
        above.add(line["hash"])
    return wrong


def recordings(lines: list[dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return each run's line, and which lines record a run that another has recorded before."""
    first: dict[str, dict[str, Any]] = {}
    wrong = []
    for number, line in enumerate(lines, start=1):
        if line["kind"] in ("analyse", "rerun") and first.setdefault(line["payload"]["run_id"], line) is not line:
            wrong.append(f"ledger.jsonl:{number}: this line records a run that a line above it has recorded")
    return first, wrong


def left_out(recorded: dict[str, dict[str, Any]]) -> list[str]:
    """Return in words the recorded runs of the experiments in here whose files this archive does not have."""
    here = {folder.name for folder in Path("runs").glob("*/*")}
    named = {folder.parent.name for folder in Path("runs").glob("*/*")}
    return [
        f"not in this archive, though on record: {line['experiment']}/{run_id}, {line['payload']['verdict']}, "
        f"on {line['at'][:10]} by {line['actor']}"
        for run_id, line in recorded.items()
        if line["experiment"] in named and run_id not in here
    ]


def check_run(folder: Path, line: dict[str, Any]) -> tuple[list[str], int]:
    """Return what is wrong with a run, and how many files its manifest lists that are not in this archive."""
    manifest = (folder / "manifest.json").read_bytes()
    if hashlib.sha256(manifest).hexdigest() != line["payload"]["manifest"]:
        return [f"{folder}: its manifest is not the one that the ledger has"], 0
    wrong, absent = [], 0
    listed = {item["path"]: item["sha256"] for item in json.loads(manifest)["artifacts"]}
    for name, digest in listed.items():
        path = folder / name
        if not path.exists():
            absent += 1
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            wrong.append(f"{path}: is not the file that the run wrote")
    wrong += [] if wrong else check_claims(folder / "results" / "results.json", line)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    wrong += [f"{folder / name}: was added later" for name in sorted(present - {*listed, "manifest.json"})]
    return wrong, absent


def check_claims(results: Path, line: dict[str, Any]) -> list[str]:
    """Return where the results of a run say something else than the line that recorded it."""
    told = json.loads(results.read_bytes()) if results.exists() else {}
    keys = [key for key in ("verdict", "grade", "registered", "plan_hash") if key in told]
    return [
        f"{results}: says {key} {told[key]!r}, and the ledger says {line['payload'].get(key)!r}"
        for key in keys
        if told[key] != line["payload"].get(key)
    ]


def main(kept_head: str | None = None) -> int:
    """Check everything below the working folder, print what was found, and return 1 where anything is wrong."""
    lines = [json.loads(line) for line in Path("ledger.jsonl").read_bytes().splitlines()]
    recorded, twice = recordings(lines)
    wrong, runs, absent = [*check_chain(lines), *twice], 0, 0
    for folder in sorted(Path("runs").glob("*/*")):
        if folder.name not in recorded:
            wrong.append(f"{folder}: the ledger has no line about this run")
            continue
        found, unlisted = check_run(folder, recorded[folder.name])
        wrong += found
        runs, absent = runs + 1, absent + unlisted
    if kept_head is not None and kept_head not in {line["hash"] for line in lines}:
        wrong.append("ledger.jsonl: the head that was kept is not in it; lines were cut off or rewritten")
    sys.stdout.write("".join(f"{one}\n" for one in (*wrong, *left_out(recorded))))
    sys.stdout.write(f"{len(lines)} ledger lines, {runs} runs, {absent} listed files left out: ")
    sys.stdout.write("NOT SOUND\n" if wrong else f"sound\nhead {lines[-1]['hash']}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
