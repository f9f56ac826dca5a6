"""The rule tests prove something: each one fails on plain moto."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OUTCOME = re.compile(r"^\S+::(\S.*?) ([A-Z]{5,})\b", re.MULTILINE)
"""A line of `pytest -v`: the test, and what became of it."""


@pytest.mark.heavy
def test_every_rule_test_fails_on_plain_moto() -> None:
    """Run the rule files without the corrections: no test of them passes, errs or is skipped."""
    files = sorted(str(each) for each in HERE.glob("test_rules_*.py"))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "--tb=no", *files],
        env={**os.environ, "EMBEDDED_AWS": "plain", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    outcomes = OUTCOME.findall(ended.stdout)
    assert [name for name, outcome in outcomes if outcome != "FAILED"] == []
    assert len(outcomes) > 50
