"""The rule tests prove something: each one fails on plain moto."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

HERE = Path(__file__).parent


@pytest.mark.heavy
def test_every_rule_test_fails_on_plain_moto(tmp_path: Path) -> None:
    """Run the rule files without the corrections: no test of them passes, errs or is skipped."""
    report = tmp_path / "report.xml"
    files = sorted(str(each) for each in HERE.glob("test_rules_*.py"))
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=no", f"--junitxml={report}", *files],
        env={**os.environ, "EMBEDDED_AWS": "plain", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=HERE.parents[2],
        capture_output=True,
        check=False,
        timeout=240,
    )
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 # pytest wrote it, just now
    fine = [case.get("name") for case in cases if case.find("failure") is None]
    assert fine == []
    assert len(cases) > 50
