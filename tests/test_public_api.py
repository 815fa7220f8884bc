"""What users may import, and that importing it costs nothing."""

import subprocess
import sys

import cxcausal


def test_every_public_name_is_there_and_has_one_home() -> None:
    homes = [name for names in cxcausal._HOMES.values() for name in names]
    assert sorted(homes) == sorted(cxcausal.__all__)
    assert all(getattr(cxcausal, name).__doc__ for name in cxcausal.__all__)
    assert dir(cxcausal) == cxcausal.__all__


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = ("numpy", "pydantic", "pandas", "yaml")
    code = f"import sys, cxcausal; print(*(name for name in {heavy} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""
