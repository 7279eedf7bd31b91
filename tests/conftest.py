"""What several test modules need."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

# How long an example takes says nothing on a machine that does other things besides.
settings.register_profile("songnet", deadline=None, max_examples=40)
settings.load_profile("songnet")

ROOT = Path(__file__).resolve().parents[1]

# What `make costs` and `make readme` run is tested, too; the tests' own modules come first, as one
# of each has the same name.
sys.path.append(str(ROOT / "scripts"))

# A person's own matplotlibrc and list of fonts change figures and what lessons say: tests, and the
# kernels they start, keep to their own.
os.environ["MPLCONFIGDIR"] = str(ROOT / "build" / "matplotlib")

# Some tests ask ONNX Runtime themselves: it is to report nothing to its makers.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


# What later lessons train is trained once: they are run one after the other.
LATER = ("05-", "06-", "07-")


class WholeFiles(LoadFileScheduling):
    """Gives each worker whole files of tests, and one half of the lessons."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if not is_lesson(nodeid):
            return file
        return "later lessons" if any(name in test for name in LATER) else "first lessons"


def is_lesson(nodeid: str) -> bool:
    return "::test_a_lesson_runs_alone" in nodeid


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their number: what they hold can differ from one worker to the other."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeFiles:
    return WholeFiles(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest; their site comes once the lessons have run."""
    marks = ("test_a_lesson_runs_alone", "in_browser", "test_real_site")

    def place(item: pytest.Item) -> int:
        return next((n for n, mark in enumerate(marks) if mark in item.nodeid), len(marks))

    items.sort(key=place)


class Once:
    """What all workers share: the first that needs it makes it, in a folder that all know."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        own = factory.getbasetemp()
        self.folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def __call__(self, name: str, make: Callable[[Path], object]) -> Path:
        """Return the path of this name; `make` writes it where it is not yet."""
        path = self.folder / name
        with FileLock(self.folder / f"{name}.lock"):
            if not (self.folder / f"{name}.made").exists():
                make(path)
                (self.folder / f"{name}.made").touch()
        return path


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    return Once(tmp_path_factory)


@pytest.fixture(scope="session")
def shared_fma() -> Path:
    """The folder of real FMA clips, where there is one beside the project."""
    folder = Path(os.environ.get("SONGNET_SHARED", ROOT.parent / "shared")) / "fma"
    if not (folder / "fma_small").is_dir():
        pytest.skip(f"no real FMA clips at {folder} (set SONGNET_SHARED to their parent folder)")
    return folder


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with musicnn as it was published: the clone's own, or fetched through pip."""
    import published_musicnn

    folder = Path(os.environ.get("SONGNET_DATA", ROOT / "data")) / "musicnn"
    folder = folder if folder.is_dir() else tmp_path_factory.mktemp("musicnn")
    published_musicnn.fetch(folder)
    return folder


@pytest.fixture(scope="session")
def medley(once: Once) -> Callable[[Path], None]:
    """Put the medley of the listening page into a data folder; it is composed once."""
    from songnet_utils.widgets.page.medley import compose_mp3

    made = once("medley.mp3", lambda file: file.write_bytes(compose_mp3()))

    def put(data: Path) -> None:
        (data / "page").mkdir(parents=True)
        shutil.copy(made, data / "page" / "medley-1.mp3")

    return put


@pytest.fixture(scope="session")
def mini_folder(once: Once) -> Path:
    """A data folder, at first without a run, where clips of mini are rendered when opened.

    It is kept between test runs, because all of mini takes minutes: mini and the store see for
    themselves whether what is there is still what they would make.
    """
    folder = ROOT / "build" / "test-data"
    once("no-runs", lambda _: shutil.rmtree(folder / "runs", ignore_errors=True))
    return folder


@pytest.fixture(scope="session")
def mini_data(mini_folder: Path, once: Once) -> Path:
    """The data folder with all clips of mini and their frames."""
    from songnet_utils.audio.sound import Sound
    from songnet_utils.corpora import open_corpus
    from songnet_utils.features.store import LogMelStore

    def prepare(_: Path) -> None:
        corpus = open_corpus("mini", mini_folder, progress=False)
        LogMelStore(mini_folder, Sound()).prepare(corpus, progress=False)

    once("mini", prepare)
    return mini_folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder of the module's own, empty at first."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("SONGNET_DATA", str(folder))
        yield folder


@pytest.fixture(scope="session")
def ran(mini_folder: Path, once: Once, request: pytest.FixtureRequest) -> Callable[[Path], Any]:
    """A lesson with its outputs, with gaps and with solutions: each is run once."""
    import nbformat

    from songnet_utils.lessons.running import run_lesson
    from songnet_utils.widgets.recording import VARIABLE

    environment = {"SONGNET_DATA": str(mini_folder), "SONGNET_CORPUS": "mini", VARIABLE: "1"}

    @cache
    def run(lesson: Path) -> Any:
        if not lesson.name.startswith("01-"):
            # The first lesson opens a few clips, the others all of them.
            request.getfixturevalue("mini_data")
        file = once(
            lesson.name, lambda file: nbformat.write(run_lesson(lesson, environment)[0], file)
        )
        return nbformat.read(file, as_version=4)

    return run


@pytest.fixture(scope="session")
def real_site(ran: Callable[[Path], Any], mini_data: Path, once: Once) -> Path:
    """The site of the real lessons."""
    from songnet_utils.lessons.files import find_lessons
    from songnet_utils.lessons.site import write_site

    def write(folder: Path) -> None:
        for path in find_lessons():
            ran(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SONGNET_DATA", str(mini_data))
            files = [once.folder / path.name for path in find_lessons()]
            write_site(files, folder)

    return once("real-site", write)


@pytest.fixture(scope="session")
def toy_site(once: Once, medley: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of three small lessons."""
    from sites import write_toy_site

    def write(folder: Path) -> None:
        data = tmp_path_factory.mktemp("data")
        medley(data)
        write_toy_site(folder, data)

    return once("toy-site", write) / "site"
