"""environment.yml gives what the README promises: Python, and this package with its own list of versions."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture
def dependencies() -> list[object]:
    found = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert found["name"] == "halab"
    assert found["channels"] == ["conda-forge"]
    return found["dependencies"]


def pip_section(dependencies: list[object]) -> list[str]:
    (section,) = (each["pip"] for each in dependencies if isinstance(each, dict))
    return section


def test_conda_brings_python_and_pip_only(dependencies: list[object]) -> None:
    assert [each for each in dependencies if isinstance(each, str)] == ["python=3.11", "pip"]


def test_pip_installs_this_folder_and_pins_nothing_a_second_time(dependencies: list[object]) -> None:
    assert pip_section(dependencies) == ["-e ."]


@pytest.mark.install
def test_what_the_pip_section_names_installs(dependencies: list[object], tmp_path: Path) -> None:
    # In an environment of its own. Without dependencies: those are what this very environment was made from.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    (tmp_path / "requirements.txt").write_text("\n".join(pip_section(dependencies)) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps",
         "--requirement", tmp_path / "requirements.txt"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(
        [python, "-c", "from importlib.util import find_spec; print(find_spec('halab').origin)"],
        cwd=tmp_path, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert shown.stdout.strip() == str(ROOT / "src" / "halab" / "__init__.py"), shown.stderr
