"""In a real browser: no sideways scrolling from phone to desk, no request, no error, a page that prints."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cxcausal.core.results import Range, RunResult
from cxcausal.report import render_report
from tests.report import worlds
from tests.report.situations import SITUATIONS
from tests.report.test_escaping import HOSTILE, hostile
from tests.report.test_honesty import many_segments
from tests.report.worlds_observed import OBSERVED
from tests.report.worlds_whom import WHOM

WIDTHS = (360, 768, 1440)
SHEETS = (
    "ship_of_one_arm",
    "guardrail_open",
    "pilot_by_cap",
    "rich_hold_at_a_look",
    "no_decision",
    "observed_far_apart",
    "whom_pays",
    "whom_within_budget",
)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--allow-file-access-from-files"),
)
HARNESS = """<!doctype html><body>{frames}<pre id="out"></pre><script>
addEventListener("load", () => {{
  const sizes = [...document.querySelectorAll("iframe")].map(frame => {{
    const root = frame.contentDocument.documentElement;
    return frame.title + " " + root.scrollWidth + " " + root.clientWidth + " "
      + getComputedStyle(root.querySelector("header")).backgroundColor;
  }});
  document.getElementById("out").textContent = "SIZES|" + sizes.join("|") + "|END";
}});
</script></body>"""


def run(chromium: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [chromium, *FLAGS, profile, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def on_paper(html: str, *sections: str) -> str:
    """Return the page with only the verdict bar and these sections."""
    main, end = html.split('<section class="part part-answer"', maxsplit=1)[0], "</main></body></html>"
    parts = re.findall(r'<section class="part part-(\w+)".*?</section>', html, flags=re.DOTALL)
    kept = [
        re.search(rf'<section class="part part-{name}".*?</section>', html, flags=re.DOTALL)
        for name in parts
        if name in sections
    ]
    return main + "".join(found[0] for found in kept if found) + end


@pytest.mark.parametrize("name", SHEETS)
def test_what_a_leader_reads_fits_on_two_sheets(chromium: str, tmp_path: Path, name: str) -> None:
    sheet, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    html = render_report({**SITUATIONS, **OBSERVED, **WHOM}[name](), ledger_head=None)
    sheet.write_text(on_paper(html, "answer", "change", "worth", "trust", "where"), encoding="utf-8")
    run(chromium, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", sheet.as_uri())
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf.read_bytes())) <= 2


def billions() -> RunResult:
    """Return the outreach trial with amounts that hardly fit a column."""
    result = worlds.outreach()
    assert result.value is not None
    arms = tuple(
        replace(
            arm,
            net_total={k: Range(point=6.04e10, low=-2.8e10, high=9.3e10) for k in arm.net_total},
        )
        for arm in result.value.arms
    )
    return replace(result, value=replace(result.value, arms=arms))


def pages() -> dict[str, str]:
    """Return the pages that are most likely to be too wide."""
    results = {name: SITUATIONS[name]() for name in ("ship_of_several_arms", "pilot_by_cap", "no_decision")}
    results["many_segments"] = many_segments(clear=True)
    results["billions"] = billions()
    results |= {name: OBSERVED[name]() for name in ("observed_overlap", "observed_arms", "observed_no_decision")}
    results |= {name: WHOM[name]() for name in ("whom_pays", "whom_in_people", "whom_no_decision")}
    results |= {f"hostile_{name}": hostile(HOSTILE[name]) for name in ("long", "right_to_left")}
    return {name: render_report(result, ledger_head=worlds.HASH) for name, result in results.items()}


def test_no_page_scrolls_sideways_at_any_width(chromium: str, tmp_path: Path) -> None:
    frames = ""
    for name, html in pages().items():
        (tmp_path / f"{name}.html").write_text(html, encoding="utf-8")
        frames += "".join(
            f'<iframe title="{name}:{w}" src="{name}.html" width="{w}" height="800" style="border:0"></iframe>'
            for w in WIDTHS
        )
    harness = tmp_path / "harness.html"
    harness.write_text(HARNESS.format(frames=frames), encoding="utf-8")
    done = run(
        chromium, tmp_path, "--window-size=1600,900", "--virtual-time-budget=5000", "--dump-dom", harness.as_uri()
    )
    found = re.search(r"SIZES\|(.*)\|END", done.stdout)
    assert found, done.stdout[-500:]
    sizes = [entry.split(" ", 3) for entry in found[1].split("|")]
    assert len(sizes) == len(pages()) * len(WIDTHS)
    assert [entry for entry in sizes if int(entry[1]) > int(entry[0].rpartition(":")[2])] == []
    colours = {entry[3] for entry in sizes}
    assert "rgba(0, 0, 0, 0)" not in colours, "the security policy blocked the stylesheet"


def test_the_page_asks_for_nothing_and_complains_of_nothing(chromium: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(render_report(hostile(HOSTILE["image"]), ledger_head=None), encoding="utf-8")
    log = tmp_path / "net.json"
    logging = ("--enable-logging=stderr", "--log-level=0", f"--log-net-log={log}")
    done = run(chromium, tmp_path, *logging, "--virtual-time-budget=3000", "--dump-dom", page.as_uri())
    assert "CONSOLE" not in done.stderr
    asked = set(re.findall(r'"url":"([^"]+)"', log.read_text(encoding="utf-8", errors="replace")))
    assert not [url for url in asked if url.startswith("http") and "google" not in url]


@pytest.mark.parametrize("name", ["ship_of_one_arm", "no_decision"])
def test_the_page_prints(chromium: str, tmp_path: Path, name: str) -> None:
    page, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_text(render_report(SITUATIONS[name](), ledger_head=None), encoding="utf-8")
    run(chromium, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
    assert pdf.read_bytes()[:5] == b"%PDF-"
    assert pdf.stat().st_size > 20_000
