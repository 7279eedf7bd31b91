"""The weights of the pretrained listener, out of the wheel they were published in.

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

# Member of the wheel, our name for it, SHA-256 of its content. The checkpoint's files have no
# stem ("MSD_musicnn/" is the prefix it was saved with).
_MUSICNN_FILES = (
    (
        "musicnn/MSD_musicnn/.data-00000-of-00001",
        "MSD_musicnn/.data-00000-of-00001",
        "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
    ),
    (
        "musicnn/MSD_musicnn/.index",
        "MSD_musicnn/.index",
        "87f3e0f3550c8d3bafc840374003e5c8af5eeb5ecf6add61af09a7822d3282c8",
    ),
    (
        "musicnn/MSD_musicnn/.meta",
        "MSD_musicnn/.meta",
        "046dc0f4f95374c3fc435a1c6619f6d1b9c82794ea2d2ef0a362a59630b5b1ec",
    ),
    (
        "musicnn-0.1.0.dist-info/LICENSE.md",
        "LICENSE.md",
        "60c4194f702ddd969f969577743546327b4e9db560c07ec286be5cec27f55fcd",
    ),
)


def musicnn_folder(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return where the listener's files are, or would be: ``musicnn`` in the data folder."""
    return data_folder(data_dir) / "musicnn"


def musicnn_is_whole(data_dir: str | os.PathLike[str] | None = None) -> bool:
    """Return whether every file of the listener is there with the content it was published with."""
    folder = musicnn_folder(data_dir)
    return all(_sha256(folder / name) == digest for _, name, digest in _MUSICNN_FILES)


def fetch_musicnn(data_dir: str | os.PathLike[str] | None = None, *, progress: bool = True) -> Path:
    """Bring the weights of the pretrained listener, once; run again, it mends what is damaged.

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
        When pip is not there or cannot download, when what came is not what was published, or
        when the disk is full. What was there before is unchanged then.

    References
    ----------
    J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music
    audio tagging", Late-breaking/demo session of ISMIR, 2019. https://arxiv.org/abs/1909.06654
    """
    folder = musicnn_folder(data_dir)
    if musicnn_is_whole(data_dir):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside the final place, so that moving it there is one step of the file system.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".musicnn-") as temporary:
            wheel = _download_wheel(Path(temporary), progress)
            fresh = Path(temporary) / "musicnn"
            _unpack(wheel, fresh)
            if folder.exists():
                folder.rename(Path(temporary) / "old")
            fresh.rename(folder)
    except OSError as error:
        raise SongNetError(
            f"{folder}: could not be written ({error.strerror or error}). Make room on the disk "
            "or choose another folder with --dir, then run `songnet fetch musicnn` again."
        ) from error
    return folder


def _download_wheel(folder: Path, progress: bool) -> Path:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    command += ["download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), MUSICNN]
    # pip draws its progress on stdout; ours is kept for answers.
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=2 if progress else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    wheels = sorted(folder.glob("musicnn-*.whl"))
    if done.returncode == 0 and wheels:
        return wheels[0]
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        raise SongNetError(
            f"{MUSICNN} is downloaded with pip, and {sys.executable} has none. "
            "Run `python -m ensurepip` with it, then `songnet fetch musicnn` again."
        )
    told = [line for line in lines if line.startswith("ERROR:")] or lines or ["pip said nothing"]
    raise SongNetError(
        f"{MUSICNN} could not be downloaded with pip ({told[-1].removeprefix('ERROR: ')}). "
        "Check the network, pip's index and the room on the disk, then run "
        "`songnet fetch musicnn` again; nothing was changed."
    )


def _unpack(wheel: Path, folder: Path) -> None:
    """Take the listener's files out of the wheel, each only with its published content."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member, name, digest in _MUSICNN_FILES:
                content = archive.read(member)
                if hashlib.sha256(content).hexdigest() != digest:
                    raise SongNetError(
                        f"{wheel.name}: {member} is not what was published (its SHA-256 is "
                        "another). Check which index pip uses, then run `songnet fetch musicnn` "
                        "again; nothing was changed."
                    )
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
    except (zipfile.BadZipFile, KeyError) as error:
        raise SongNetError(
            f"{wheel.name}: is damaged or lacks the listener's files. Empty pip's cache "
            "(`pip cache purge`), then run `songnet fetch musicnn` again; nothing was changed."
        ) from error


def _sha256(file: Path) -> str:
    """Return the SHA-256 of a file's content; "" when it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
