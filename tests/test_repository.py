"""The files around the package agree with each other and with what they promise."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from songnet_utils.cli import main

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENVIRONMENT = (ROOT / "environment.yml").read_text(encoding="utf-8")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("**/*.ipynb"))


# Declared but imported by none of our files, each for a reason that a person can check.
USED_OTHERWISE = {
    "import-linter": "`make lint`",
    "ipywidgets": "anywidget's widgets and tqdm's bars show through it",
    "jupyterlab": "`make lab`; it brings the kernel that lessons run in",
    "mypy": "`make lint`",
    "myst-nb": "docs/conf.py names it: the site's lessons",
    "nbstripout": "pre-commit",
    "pre-commit": "before each commit",
    "pytest-xdist": "`make test`",
    "pretty-midi": "mini plays on the soundfont inside it",
    "ruff": "`make lint`",
    "sphinx-book-theme": "docs/conf.py names it: how the site looks",
    "uv": "`make lock`, scripts/set-up",
}


def requirements(lines: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


RUN_TIME = requirements(PROJECT["project"]["dependencies"])
DEVELOPMENT = requirements(PROJECT["dependency-groups"]["dev"])
DECLARED = RUN_TIME | DEVELOPMENT


def locked() -> list[Requirement]:
    return [Requirement(line) for line in LOCK.splitlines() if re.match(r"[a-zA-Z0-9]", line)]


def environment_lines() -> list[str]:
    dependencies = yaml.safe_load(ENVIRONMENT)["dependencies"]
    return next(entry["pip"] for entry in dependencies if isinstance(entry, dict))


# --- pyproject.toml, requirements.lock and environment.yml -----------------------------------


def test_environment_names_what_the_project_declares():
    names = {canonicalize_name(line) for line in environment_lines() if not line.startswith("--")}
    assert names == set(DECLARED)


def test_environment_is_held_by_the_lock_and_installs_the_package():
    lines = environment_lines()
    assert "--constraint requirements.lock" in lines
    assert "--editable ." in lines


def test_environment_allows_the_same_python():
    dependencies = yaml.safe_load(ENVIRONMENT)["dependencies"]
    python = next(d for d in dependencies if isinstance(d, str) and d.startswith("python"))
    wanted = Requirement(f"python {PROJECT['project']['requires-python']}")
    assert Requirement(python).specifier == wanted.specifier


def test_every_line_of_the_environment_says_why():
    entries = re.findall(r"^\s*- (?!pip:|conda-forge)(.*)$", ENVIRONMENT, re.MULTILINE)
    assert len(entries) > len(DECLARED)
    silent = [entry for entry in entries if not re.search(r"\s{2}# \w.{3,}", entry)]
    assert silent == []


def test_the_lock_holds_exact_versions_within_the_ranges():
    found: dict[str, list[Requirement]] = {}
    for requirement in locked():
        assert [s.operator for s in requirement.specifier] == ["=="], requirement
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    for name, declared in DECLARED.items():
        assert name in found, f"{name} is declared but not locked: make lock"
        for requirement in found[name]:
            version = next(iter(requirement.specifier)).version
            assert Version(version) in declared.specifier, f"{requirement}: make lock"


def test_the_lock_is_closed_for_this_python():
    """Everything that a locked package needs here is locked too, so --no-deps is right."""
    versions = {
        canonicalize_name(r.name): next(iter(r.specifier)).version
        for r in locked()
        if r.marker is None or r.marker.evaluate()
    }
    missing = []
    for name in versions:
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            pytest.fail(f"{name} is locked but not installed: rm -rf .venv && make setup")
        for need in map(Requirement, needs):
            if need.marker is not None and not need.marker.evaluate({"extra": ""}):
                continue
            have = versions.get(canonicalize_name(need.name))
            if have is None or not need.specifier.contains(have, prereleases=True):
                missing.append(f"{name} needs {need}, locked: {have}")
    assert missing == []


def test_the_lock_knows_no_machine():
    assert not re.search(r"https?://|file:|--index|--find-links|@ |/(work|home|root|opt)/", LOCK)


# --- What is imported is declared -------------------------------------------------------------


def imported_by(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def notebook_source(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return "\n".join(line for part in code for line in part.splitlines() if line[:1] not in "%!")


def distributions(modules: set[str]) -> set[str]:
    homes = importlib.metadata.packages_distributions()
    own = {"songnet_utils", "tests", "conftest"}
    own |= {p.stem for folder in ("tests", "scripts") for p in (ROOT / folder).rglob("*.py")}
    names = set()
    for module in modules - set(sys.stdlib_module_names) - own:
        names.add(canonicalize_name(homes.get(module, [module])[0]))
    # Part of what brings them, or brought by what is declared, on purpose.
    brought = {"keras": "tensorflow", "packaging": "pytest", "grimp": "import-linter"}
    brought |= {"ipython": "jupyterlab", "traitlets": "ipywidgets"}
    brought |= {"docutils": "sphinx"}
    return {brought.get(name, name) for name in names}


def test_what_is_imported_is_declared_and_what_is_declared_is_used():
    package = {m for f in ROOT.glob("songnet_utils/**/*.py") for m in imported_by(f.read_text())}
    lessons = {m for f in NOTEBOOKS for m in imported_by(notebook_source(f))}
    around = {
        m
        for folder in ("tests", "scripts")
        for f in (ROOT / folder).glob("**/*.py")
        for m in imported_by(f.read_text(encoding="utf-8"))
    }
    # `songnet course` makes the site.
    docs = imported_by((ROOT / "docs" / "conf.py").read_text("utf-8"))
    run_time = distributions(package | lessons | docs)
    assert run_time - set(RUN_TIME) == set(), "imported but not a dependency"
    assert distributions(around) - set(DECLARED) == set(), "imported by tests but not declared"
    used = run_time | distributions(around)
    assert set(USED_OTHERWISE) <= set(DECLARED)
    assert set(DECLARED) - used - set(USED_OTHERWISE) == set(), "declared but imported nowhere"


def test_importing_the_package_starts_no_tensorflow():
    code = "import sys, songnet_utils; print('tensorflow' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (shown.stdout.strip(), shown.stderr) == ("False", "")


DOCUMENTS = (
    *("README.md", "CONTRIBUTING.md", "data/README.md"),
    *("docs/commands.md", "docs/index.md", "docs/teachers.md"),
)


# --- Notebooks, README, Makefile ---------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebooks_in_git_carry_no_outputs(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], (
                f"{path.name}: .venv/bin/nbstripout --keep-id notebooks/*.ipynb "
                "notebooks/solutions/*.ipynb"
            )
            assert cell["execution_count"] is None


def test_every_make_target_in_the_documents_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in (*DOCUMENTS, ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        mentioned = set(re.findall(r"(?:^\s*|`|&& |exec )make ([a-z]+)", text, re.MULTILINE))
        assert mentioned <= targets, name


def test_every_command_in_the_documents_exists(capsys):
    mentioned = set()
    for name in (*DOCUMENTS, "Makefile"):
        text = (ROOT / name).read_text(encoding="utf-8")
        mentioned |= set(re.findall(r"(?:[`/\\]|^ +)songnet ([a-z]+)", text, re.MULTILINE))
    assert {"classify", "compare", "corpora", "course", "fetch", "train"} <= mentioned
    for command in mentioned:
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0, command


def test_links_in_the_documents_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md"):
        for link in re.findall(
            r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / name).read_text(encoding="utf-8")
        ):
            assert (ROOT / link).exists(), f"{name}: {link}"


def test_binder_installs_the_lock_and_makes_the_music(tmp_path):
    folder = ROOT / ".binder"
    (wanted,) = re.findall(r"^--requirement (.+)$", (folder / "requirements.txt").read_text(), re.M)
    assert (folder / wanted).samefile(ROOT / "requirements.lock")
    python = (folder / "runtime.txt").read_text().strip().removeprefix("python-")
    assert Version(python) in Requirement(f"x {PROJECT['project']['requires-python']}").specifier
    for name in ("pip", "songnet"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (tmp_path / name).chmod(0o755)
    ran = subprocess.run(
        [folder / "postBuild"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    install, music = ran.stdout.splitlines()
    assert install == "pip install --no-deps --no-build-isolation --editable ."
    command, *arguments = music.split()
    assert (command, arguments) == ("songnet", ["features", "mini"])
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--help"])
    assert stop.value.code == 0


def test_a_wrong_python_is_told_in_one_line(tmp_path):
    """An old Python gets one clear line, and nothing is left behind."""
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *platform*) echo 3.9.2;; *) exit 1;; esac\n')
    old.chmod(0o755)
    for arguments in ([str(tmp_path), str(old)], [str(tmp_path)]):
        made = subprocess.run(
            ["/bin/sh", str(ROOT / "scripts" / "set-up"), *arguments],
            env={**os.environ, "PATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert made.returncode == 1
        assert len(made.stderr.splitlines()) == 1
        assert "3.11, 3.12 or 3.13" in made.stderr
        assert "3.9.2" in made.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_without_venv_is_told_in_one_line(tmp_path):
    """Debian's python3 comes without ensurepip."""
    bare = tmp_path / "python3"
    bare.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; *) exit 0;; esac\n')
    bare.chmod(0o755)
    made = subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "set-up"), str(tmp_path), str(bare)],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 1
    assert len(made.stderr.splitlines()) == 1
    assert "python3-venv" in made.stderr
    assert not (tmp_path / ".venv").exists()
