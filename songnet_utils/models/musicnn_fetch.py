"""The weights of musicnn, out of the wheel they were published in.

They come inside the wheel of the ``musicnn`` package (0.1.0, 29 MB, ISC licence). The package
itself cannot be installed beside a current Python, because it asks for NumPy below 1.17, so pip
is only asked to download the wheel, and four files are taken out of it. pip brings them from
whatever index it is set up with, in a venv and in a conda environment alike.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import data_folder

#: What is asked of pip.
MUSICNN = "musicnn==0.1.0"

# SHA-256 by file, as it is below "musicnn" in the wheel. The checkpoint's files have no stem
# ("MSD_musicnn/" is the prefix it was saved with).
_FILES = {
    "MSD_musicnn/.data-00000-of-00001": (
        "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6"
    ),
    "MSD_musicnn/.index": "87f3e0f3550c8d3bafc840374003e5c8af5eeb5ecf6add61af09a7822d3282c8",
    "MSD_musicnn/.meta": "046dc0f4f95374c3fc435a1c6619f6d1b9c82794ea2d2ef0a362a59630b5b1ec",
    "LICENSE.md": "60c4194f702ddd969f969577743546327b4e9db560c07ec286be5cec27f55fcd",
}


def musicnn_folder(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return where musicnn's files are, or would be: ``musicnn`` in the data folder."""
    return data_folder(data_dir) / "musicnn"


def musicnn_is_whole(data_dir: str | os.PathLike[str] | None = None) -> bool:
    """Return whether every file of musicnn is there with the content it was published with."""
    return _is_whole(musicnn_folder(data_dir))


def member(name: str) -> str:
    """Return what one of musicnn's files is called in the wheel."""
    return f"musicnn/{name}" if "/" in name else f"musicnn-0.1.0.dist-info/{name}"


def _is_whole(folder: Path) -> bool:
    return all(
        (folder / name).is_file()
        and hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        for name, digest in _FILES.items()
    )


def fetch_musicnn(data_dir: str | os.PathLike[str] | None = None, *, progress: bool = True) -> Path:
    """Bring the weights of musicnn, once; run again, it replaces what is damaged.

    Parameters
    ----------
    data_dir
        The data folder; ``$SONGNET_DATA`` or ``data`` by default.
    progress : bool
        Show pip's progress bar, on stderr.

    Returns
    -------
    pathlib.Path
        The folder that holds them, with their licence.

    Raises
    ------
    SongNetError
        When pip cannot download, when what came is not what was published, or when the folder
        cannot be written. What was there before is unchanged then.

    References
    ----------
    J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music
    audio tagging", Late-breaking/demo session of ISMIR, 2019. https://arxiv.org/abs/1909.06654
    """
    folder = musicnn_folder(data_dir)
    if _is_whole(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside the final place, so that moving it there is one step of the file system.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".musicnn-") as temporary:
            wheel = _download_wheel(Path(temporary), progress)
            fresh = Path(temporary) / "musicnn"
            with zipfile.ZipFile(wheel) as archive:
                for name in _FILES:
                    (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                    (fresh / name).write_bytes(archive.read(member(name)))
            if not _is_whole(fresh):
                raise zipfile.BadZipFile
            if folder.exists():
                folder.rename(Path(temporary) / "old")
            fresh.rename(folder)
    except (zipfile.BadZipFile, KeyError) as error:
        raise SongNetError(
            f"{MUSICNN}: what pip brought is not what was published. Check which index pip uses, "
            "empty its cache (`pip cache purge`), then run `songnet fetch musicnn` again."
        ) from error
    except OSError as error:
        raise SongNetError(
            f"{folder}: could not be written ({error.strerror or error}). Make room on the disk "
            "or choose another folder with --dir, then run `songnet fetch musicnn` again."
        ) from error
    return folder


def _download_wheel(folder: Path, progress: bool) -> Path:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    command += ["download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), MUSICNN]
    # pip draws its progress on stdout; ours is for answers.
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=2 if progress else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    for wheel in folder.glob("musicnn-*.whl"):
        return wheel
    lines = done.stderr.strip().splitlines() or ["pip gave no reason"]
    raise SongNetError(
        f"{MUSICNN} could not be downloaded with pip ({lines[-1].removeprefix('ERROR: ')}). "
        "Check the network and pip (`python -m ensurepip` installs it), then run "
        "`songnet fetch musicnn` again; nothing was changed."
    )
