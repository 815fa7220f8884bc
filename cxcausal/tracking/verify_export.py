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
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    wrong += [f"{folder / name}: was added later" for name in sorted(present - {*listed, "manifest.json"})]
    return wrong, absent


def main(kept_head: str | None = None) -> int:
    """Check everything below the working folder, print what was found, and return 1 where anything is wrong."""
    lines = [json.loads(line) for line in Path("ledger.jsonl").read_bytes().splitlines()]
    wrong, runs, absent = check_chain(lines), 0, 0
    recorded = {line["payload"]["run_id"]: line for line in lines if line["kind"] in ("analyse", "rerun")}
    for folder in sorted(Path("runs").glob("*/*")):
        if folder.name not in recorded:
            wrong.append(f"{folder}: the ledger has no line about this run")
            continue
        found, left_out = check_run(folder, recorded[folder.name])
        wrong += found
        runs, absent = runs + 1, absent + left_out
    if kept_head is not None and kept_head not in {line["hash"] for line in lines}:
        wrong.append("ledger.jsonl: the head that was kept is not in it; lines were cut off or rewritten")
    sys.stdout.write("".join(f"{one}\n" for one in wrong))
    sys.stdout.write(f"{len(lines)} ledger lines, {runs} runs, {absent} listed files left out: ")
    sys.stdout.write("NOT SOUND\n" if wrong else f"sound\nhead {lines[-1]['hash']}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
