"""What a place (the site, ``songnet app``, a notebook) hands to the page that listens.

The page is JavaScript: ``vendor/songnet.js``, built from ``src``. It asks for everything else by
name: the runtime of the networks (``ort.wasm``), networks (``networks/…``) and clips (``clips/…``).
`contents` puts together what there is, and `Contents` gives the bytes, gzipped, in the form that a
place needs. On pages without Python each asset is a script that hands over its bytes, since a page
that is opened as a file may fetch nothing.

A network comes as one ONNX file that says what it is (`songnet_utils.onnx_export`). Nothing here
starts TensorFlow, except for a network that is given as an object and has to be exported.
"""

from __future__ import annotations

import base64
import functools
import gzip
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songnet_utils.errors import SongNetError
from songnet_utils.files import atomic_write

if TYPE_CHECKING:
    from songnet_utils.corpora import Corpus
    from songnet_utils.network import Network

    #: What stands for a network: its object, its run's folder, its ONNX file, or "musicnn".
    Source = Network | str | Path

_HERE = Path(__file__).parent
_VENDOR, _NETWORKS = _HERE / "vendor", _HERE / "networks"
_OURS, _MUSICNN = _NETWORKS / "songnet-mini.onnx", _NETWORKS / "musicnn.onnx"

#: Clips of one genre that a page lists at most.
MOST_OF_GENRE = 50

# Where an asset's bytes are.
_Bytes = Path | Callable[[], bytes]


@dataclass(frozen=True)
class Clip:
    """A clip to choose on the page.

    Parameters
    ----------
    facts : dict
        ``file`` (its name), ``title``, ``artist``, ``genre``, ``credit``, and of a medley
        ``medley``: a list of ``start`` (seconds) and ``genre``.
    content : path or callable
        The sound file, or what returns its bytes.
    """

    facts: dict[str, Any]
    content: _Bytes


@dataclass(frozen=True)
class Contents:
    """What a place shows, and where the bytes of each asset are.

    Parameters
    ----------
    networks, clips : list of dict
        As the page takes them (``src/host.js``).
    assets : dict
        Path, or what returns the bytes, by the name that the page asks for.
    """

    networks: list[dict[str, str]]
    clips: list[dict[str, Any]]
    assets: dict[str, _Bytes]

    def packed(self, name: str) -> bytes:
        """Return an asset's bytes, gzipped.

        Raises
        ------
        SongNetError
            When there is no such asset, or its file cannot be read.
        """
        if name not in self.assets:
            raise SongNetError(f"{name}: the page was told of no such thing. Load it again.")
        place = self.assets[name]
        try:
            content = place.read_bytes() if isinstance(place, Path) else place()
        except OSError as error:
            raise SongNetError(
                f"{place}: cannot be read ({error.strerror}). Check that it is still there."
            ) from error
        is_packed = isinstance(place, Path) and place.suffix == ".gz"
        # No time inside: the same asset is always the same bytes.
        return content if is_packed else gzip.compress(content, 6, mtime=0)

    def manifest_script(self, keep: str | None = None) -> str:
        """Return ``manifest.js``; `keep` is the address that keeps songs, where there is one."""
        told = {"networks": self.networks, "clips": self.clips, "keep": keep}
        return f"SongNetPage.assets.manifest({json.dumps(told)});\n"

    def asset_script(self, name: str) -> str:
        """Return ``assets/NAME.js``, which hands an asset's bytes to the page."""
        content = base64.b64encode(self.packed(name)).decode("ascii")
        return f"SongNetPage.assets.add({json.dumps(name)}, {json.dumps(content)});\n"


def script() -> str:
    """Return the page's script, which defines ``SongNetPage``."""
    return (_VENDOR / "songnet.js").read_text(encoding="utf-8")


def contents(
    networks: Sequence[Source] | Source | None = None, clips: Iterable[Clip] = ()
) -> Contents:
    """Put together what a place shows.

    Parameters
    ----------
    networks : sequence of Network or path or str, optional
        Which networks can be asked: networks, the folders of finished runs, or ONNX files. The
        first is asked about clips. By default songnet trained on mini, and your newest run, if
        any. musicnn, which is asked about people's own songs, is always there.
    clips : iterable of Clip
        What can be chosen. The first is shown when the page opens.

    Raises
    ------
    SongNetError
        When a network cannot be read, or a page cannot use it.
    """
    if networks is None:
        networks = [_OURS, *_newest_run()]
    elif isinstance(networks, str | Path) or not isinstance(networks, Sequence):
        networks = [networks]
    assets: dict[str, _Bytes] = {"ort.wasm": _VENDOR / "ort.wasm.gz"}
    assets |= {f"networks/{file.name}": file for file in sorted(_NETWORKS.glob("*.onnx"))}
    offers: dict[str, dict[str, str]] = {}
    for number, (files, folder) in enumerate(map(_files_of, [*networks, _MUSICNN])):
        described = _described(files["asset"])
        name = described["name"]
        if name in offers and files["asset"] == _MUSICNN:
            continue
        offer = {"name": name, "title": described.get("title") or name}
        if name in offers:
            offer = {what: f"{text} ({folder or number + 1})" for what, text in offer.items()}
        for what, content in files.items():
            offer[what] = f"networks/{number + 1}-{what}.onnx"
            if isinstance(content, Path) and content.parent == _NETWORKS:
                offer[what] = f"networks/{content.name}"
            assets[offer[what]] = content
        offers[offer["name"]] = offer
    listed = []
    for number, clip in enumerate(clips):
        asset = f"clips/{number}{Path(clip.facts['file']).suffix}"
        assets[asset] = clip.content
        listed.append({"asset": asset, **clip.facts})
    return Contents(list(offers.values()), listed, assets)


def _newest_run() -> list[Path]:
    from songnet_utils.corpora import data_folder

    models = (data_folder() / "runs").glob("*/*/model.onnx")
    finished = [model.parent for model in models if model.with_name("record.json").is_file()]
    return sorted(finished, key=lambda run: (run / "record.json").stat().st_mtime)[-1:]


def _files_of(source: Source) -> tuple[dict[str, _Bytes], str]:
    """Return a network's ONNX files, ``asset`` and perhaps ``stream``; and its run's name."""
    if source == "musicnn" or getattr(source, "name", "") == "musicnn":
        return {"asset": _MUSICNN}, ""
    if not isinstance(source, str | Path):
        return {"asset": functools.partial(_exported, source)}, ""
    path = Path(source)
    if path.suffix == ".onnx":
        return {"asset": path}, path.stem
    from songnet_utils.runs import read_record

    record = read_record(path)
    if not (path / "model.onnx").is_file():
        raise SongNetError(
            f"{path}: its model, {record['model']}, answers for whole clips and hears nothing "
            "over time. Choose the run of a network (model.onnx)."
        )
    stream = path / "stream.onnx"
    return {"asset": path / "model.onnx", **({"stream": stream} if stream.is_file() else {})}, (
        path.name
    )


def _exported(net: Any) -> bytes:
    from songnet_utils.models import save_onnx

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        save_onnx(net, file)
        return file.read_bytes()


def _described(content: _Bytes) -> dict[str, str]:
    """Return what an ONNX file says about its network."""
    import onnx

    try:
        packed = content.read_bytes() if isinstance(content, Path) else content()
        model = onnx.load_model_from_string(packed)
    except (OSError, onnx.onnx_cpp2py_export.checker.ValidationError, ValueError) as error:
        raise SongNetError(f"{content}: cannot be read as a network ({error}).") from error
    described = {entry.key: entry.value for entry in model.metadata_props}
    if "name" not in described:
        raise SongNetError(
            f"{content}: does not say what its network is: an older version of SongNet wrote it. "
            "Train the run again: songnet train … --force"
        )
    if any(given.name == "metadata" for given in model.graph.input):
        raise SongNetError(
            f"{content}: its network is told what is known of a song (year, place and the like), "
            "and a page knows only the sound. Choose another run."
        )
    return described


def medley() -> Clip:
    """Return a clip in which the genres change, composed when it is asked for."""
    from songnet_utils.corpora.mini.medley import starts

    changes = [{"start": start, "genre": genre} for start, genre in starts()]
    facts = {
        **{"file": "medley.mp3", "title": "Medley of eight genres", "artist": "", "genre": ""},
        "credit": "Composed by rules for this course (mini), CC BY 4.0",
    }
    return Clip({**facts, "medley": changes}, _medley_mp3)


@functools.cache
def _medley_mp3() -> bytes:
    from songnet_utils.corpora.mini.medley import medley as play
    from songnet_utils.players import Player

    return Player(*play(), "Medley").mp3


def clips_of(corpus: Corpus, most: int = MOST_OF_GENRE) -> list[Clip]:
    """Return clips of a corpus to choose from, at most so many of each genre."""
    from songnet_utils.corpora import credit

    listed = corpus.clips.groupby("genre").head(most).sort_values(["genre", "id"])
    return [
        Clip(
            {
                "file": Path(row.file).name,
                **{what: _text(getattr(row, what)) for what in ("title", "artist", "genre")},
                "credit": credit(row, corpus.name),
            },
            Path(row.file),
        )
        for row in listed.itertuples()
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def as_mp3(clip: Clip, rate: int = 22_050) -> Clip:
    """Return the same clip as an mp3, mono at `rate`: smaller, for a site."""
    from songnet_utils.audio import load_audio
    from songnet_utils.players import Player

    name = Path(clip.facts["file"])

    def mp3() -> bytes:
        content = clip.content if isinstance(clip.content, Path) else clip.content()
        return Player(load_audio(content, rate), rate, str(name)).mp3

    return Clip({**clip.facts, "file": str(name.with_suffix(".mp3"))}, mp3)


def write_page(
    folder: str | Path,
    networks: Sequence[Source] | None = None,
    clips: Iterable[Clip] | None = None,
) -> None:
    """Write what a static page needs: ``songnet.js``, ``manifest.js`` and ``assets/NAME.js``.

    Parameters
    ----------
    folder : path
        The folder that pages name in ``data-base``.
    networks, clips
        As in `contents`; by default the networks that come with the project, and the medley.
    """
    shown = contents(networks or [_OURS], [medley()] if clips is None else clips)
    files = {
        "songnet.js": script(),
        "manifest.js": shown.manifest_script(),
        "LICENSES.txt": (_VENDOR / "LICENSES.txt").read_text(encoding="utf-8"),
    }
    for name, text in files.items():
        with atomic_write(Path(folder) / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    for name in shown.assets:
        with atomic_write(Path(folder) / "assets" / f"{name}.js") as temporary:
            temporary.write_text(shown.asset_script(name), encoding="utf-8")
