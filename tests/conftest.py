"""What several test modules need."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says nothing on a machine that does other things besides.
settings.register_profile("songnet", deadline=None)
settings.load_profile("songnet")

ROOT = Path(__file__).resolve().parents[1]

# A person's own matplotlibrc and list of fonts change figures and what lessons say: tests, and the
# kernels they start, keep to their own.
os.environ["MPLCONFIGDIR"] = str(ROOT / "build" / "matplotlib")


@pytest.fixture(scope="session")
def shared_fma() -> Path:
    """The folder of real FMA clips, where there is one beside the project."""
    folder = Path(os.environ.get("SONGNET_SHARED", ROOT.parent / "shared")) / "fma"
    if not (folder / "fma_small").is_dir():
        pytest.skip(f"no real FMA clips at {folder} (set SONGNET_SHARED to their parent folder)")
    return folder


@pytest.fixture(scope="session")
def musicnn_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the pretrained listener in it: the clone's own, or fetched through pip."""
    from songnet_utils.fetch import fetch_musicnn, musicnn_is_whole

    own = Path(os.environ.get("SONGNET_DATA", ROOT / "data"))
    folder = own if musicnn_is_whole(own) else tmp_path_factory.mktemp("data")
    fetch_musicnn(folder, progress=False)
    return folder


@pytest.fixture(scope="session")
def mini_data() -> Path:
    """A data folder with all of mini and its frames, and no run.

    It is kept between test runs, because mini takes minutes: mini and the store see for
    themselves whether what is there is still what they would make.
    """
    from songnet_utils.corpora import open_corpus
    from songnet_utils.store import LogMelStore
    from songnet_utils.timeline import Sound

    folder = ROOT / "build" / "test-data"
    shutil.rmtree(folder / "runs", ignore_errors=True)
    corpus = open_corpus("mini", folder, progress=False)
    LogMelStore(folder, Sound()).prepare(corpus, progress=False)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder of the module's own, empty at first."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("SONGNET_DATA", str(folder))
        yield folder
