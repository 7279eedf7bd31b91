"""The listening page, and the data that a host (the site, ``songnet app``, a notebook) gives it.

The page is JavaScript: ``vendor/songnet.js``, built from ``src``. It requests everything else by
name: the runtime of the networks (``ort.wasm``), networks (``networks/…``) and clips (``clips/…``).
`contents` collects these assets, and `Contents` returns their bytes, gzipped, in the form that a
host needs. On pages without Python, each asset is a script that hands over its bytes, because a
page that you open as a file may not fetch anything.

A network is one ONNX file that describes itself (`songnet_utils.models.onnx_export`). Nothing
here starts TensorFlow, except for a network that you pass as an object, which must be exported.
"""

from __future__ import annotations

import base64
import csv
import functools
import gzip
import json
import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, newest_run
from songnet_utils.corpora import mini
from songnet_utils.models.onnx_network import BUILT_IN, description_of, open_session
from songnet_utils.widgets.page import medley

if TYPE_CHECKING:
    from songnet_utils.corpora import Corpus
    from songnet_utils.streaming.network import Network

    #: A network: the object, its run's folder, its ONNX file, or "musicnn".
    Source = Network | str | Path

_VENDOR = Path(__file__).parent / "vendor"
_OURS, _MUSICNN = BUILT_IN / "songnet-mini.onnx", BUILT_IN / "musicnn.onnx"

#: The most clips of one genre that a page lists.
MOST_OF_GENRE = 50

# A function that returns an asset's bytes.
_Bytes = Callable[[], bytes]

# A clip of a table.
_Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Clip:
    """A clip to choose on the page.

    Parameters
    ----------
    facts : dict
        ``file`` (its name), ``title``, ``artist``, ``genre``, ``credit``, and for a medley
        ``medley``: a list of ``start`` (seconds) and ``genre``.
    content : callable
        Returns the bytes of the sound file.
    """

    facts: dict[str, Any]
    content: _Bytes


@dataclass(frozen=True)
class Contents:
    """The contents of a page, and the source of each asset's bytes.

    Parameters
    ----------
    networks, clips : list of dict
        As the page takes them (``src/host.js``).
    assets : dict
        The function that returns an asset's bytes, by the asset's name.
    """

    networks: list[dict[str, Any]]
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
            raise SongNetError(f"{name}: there is no such asset. Load the page again.")
        try:
            content = self.assets[name]()
        except OSError as error:
            raise SongNetError(
                f"{error.filename}: cannot be read ({error.strerror}). Check that it is there."
            ) from error
        # Leave out the time, so that the same asset always gives the same bytes.
        is_packed = content.startswith(b"\x1f\x8b")
        return content if is_packed else gzip.compress(content, 6, mtime=0)

    def manifest_script(self, keep: str | None = None) -> str:
        """Return ``manifest.js``; `keep` is the address that saves songs, if there is one."""
        shown = {"networks": self.networks, "clips": self.clips, "keep": keep}
        return f"SongNetPage.assets.manifest({json.dumps(shown)});\n"

    def asset_script(self, name: str) -> str:
        """Return ``assets/NAME.js``, which hands an asset's bytes to the page."""
        content = base64.b64encode(self.packed(name)).decode("ascii")
        return f"SongNetPage.assets.add({json.dumps(name)}, {json.dumps(content)});\n"


def script() -> str:
    """Return the page's script, which defines ``SongNetPage``."""
    return (_VENDOR / "songnet.js").read_text(encoding="utf-8")


def contents(networks: Sequence[Source] | None = None, clips: Iterable[Clip] = ()) -> Contents:
    """Collect the contents of a page.

    Parameters
    ----------
    networks : sequence of Network or path or str, optional
        The networks to offer: networks, the folders of finished runs, or ONNX files. The
        first answers for clips. The default is songnet trained on mini, and your newest run, if
        any. The page always offers musicnn, too, which answers for people's own songs.
    clips : iterable of Clip
        The clips to offer. The page opens with the first.

    Raises
    ------
    SongNetError
        When a network cannot be read, or a page cannot use it.
    """
    if networks is None:
        newest = newest_run()
        networks = [_OURS, *([newest] if newest else [])]
    assets: dict[str, _Bytes] = {"ort.wasm": (_VENDOR / "ort.wasm.gz").read_bytes}
    for file in BUILT_IN.glob("*.onnx"):
        assets[f"networks/{file.name}"] = file.read_bytes
    offers: dict[str, dict[str, Any]] = {}
    for number, source in enumerate([*networks, _MUSICNN]):
        name, facts, content = _network(source)
        if name in offers and name == _MUSICNN.stem:
            continue
        name = f"{name} ({number + 1})" if name in offers else name
        is_built_in = source in (_OURS, _MUSICNN, _MUSICNN.stem)
        asset = f"networks/{name if is_built_in else number + 1}.onnx"
        offers[name] = {"name": name, "asset": asset, **facts}
        assets[asset] = content
    listed = []
    for number, clip in enumerate(clips):
        asset = f"clips/{number}{Path(clip.facts['file']).suffix}"
        assets[asset] = clip.content
        listed.append({"asset": asset, **clip.facts})
    return Contents(list(offers.values()), listed, assets)


def _network(source: Source) -> tuple[str, dict[str, Any], _Bytes]:
    """Return a network's name, its facts for the page, and its ONNX file."""
    if not isinstance(source, str | Path):
        if source.name.startswith(_MUSICNN.stem):
            return _network(_MUSICNN)
        return source.name, *_exported(source)
    path = file = _MUSICNN if source == _MUSICNN.stem else Path(source)
    if path.suffix != ".onnx":
        # A network with state also has a file for single steps, which is the one to use.
        file = path / "stream.onnx"
        file = file if file.is_file() else path / "model.onnx"
        if not file.is_file():
            from songnet_utils.training.runs import read_record

            raise SongNetError(
                f"{path}: its model, {read_record(path)['model']}, answers only for whole clips, "
                "so it has no genre over time. Choose the run of a network (model.onnx)."
            )
    facts = _facts(file)
    if path != _MUSICNN:
        facts["title"] += f" ({path.stem})"
    return path.stem, facts, file.read_bytes


def _exported(net: Network) -> tuple[dict[str, Any], _Bytes]:
    from songnet_utils.models.onnx_export import save_onnx, save_stream

    with tempfile.TemporaryDirectory() as folder:
        save_onnx(net, Path(folder) / "model.onnx")
        # For a network without state, this writes no file.
        save_stream(net, Path(folder) / "stream.onnx")
        _, facts, content = _network(folder)
        return {**facts, "title": net.name}, functools.partial(bytes, content())


def _facts(file: Path) -> dict[str, Any]:
    """Return the facts about a network in an ONNX file that the page needs."""
    session = open_session(file)
    described = description_of(session, file)
    if any(given.name == "metadata" for given in session.get_inputs()):
        raise SongNetError(
            f"{described.name}: needs a song's metadata (year, place and so on), but the page has "
            "only its sound. Choose another network."
        )
    field = described.timeline.field
    past = None if math.isinf(field.past) else field.past
    return {
        "title": described.name,
        "trainingMusic": described.training_music,
        "caution": described.caution,
        "genres": list(described.genres),
        "sound": described.timeline.sound.to_dict(),
        "field": {"size": field.size, "stride": field.stride, "past": past},
    }


def medley_clip() -> Clip:
    """Return a clip in which the genre changes; the page's request starts its composition."""
    facts = {
        **{"file": "medley.mp3", "title": "A medley of eight genres", "artist": "", "genre": ""},
        "credit": "Composed by rules for this course, CC BY 4.0",
    }
    changes = [{"start": start, "genre": genre} for start, genre in medley.STARTS]
    return Clip({**facts, "medley": changes}, medley.mp3)


def clips_of(corpus: Corpus) -> list[Clip]:
    """Return clips of a corpus to choose from."""
    return _clips(corpus.clips.to_dict("records"), corpus.name, _read)


def clips_of_mini(data: Path) -> list[Clip]:
    """Return clips of mini in a data folder, listed without pandas, which takes a second."""
    with mini.TABLE.open(encoding="utf-8", newline="") as file:
        return _clips(csv.DictReader(file), "mini", functools.partial(_read_mini, data))


def _read(row: _Row) -> bytes:
    return Path(row["file"]).read_bytes()


def _read_mini(data: Path, row: _Row) -> bytes:
    from songnet_utils.corpora.mini.catalogue import open_mini

    return _read(open_mini(data / "mini").set_index("id").loc[row["id"]])


def _clips(rows: Iterable[_Row], name: str, read: Callable[[_Row], bytes]) -> list[Clip]:
    clips, counts = [], Counter[str]()
    for row in rows:
        counts[row["genre"]] += 1
        if counts[row["genre"]] > MOST_OF_GENRE:
            continue
        # Missing values are not text.
        facts = {
            what: row[what] if isinstance(row[what], str) else ""
            for what in ("title", "artist", "genre", "licence")
        }
        by = f" by {facts['artist']}" if facts["artist"] else ""
        licence = facts.pop("licence") or "licence unknown"
        credit = f"“{facts['title']}”{by} ({name}/{row['id']}), {licence}"
        facts |= {"file": Path(str(row["file"])).name, "credit": credit}
        clips.append(Clip(facts, functools.partial(read, row)))
    return sorted(clips, key=lambda clip: clip.facts["genre"])


def as_mp3(clip: Clip, rate: int = 22_050) -> Clip:
    """Return the same clip as an mp3, mono at `rate`, which is smaller for a site."""
    from songnet_utils.audio import load_audio
    from songnet_utils.plots.players import Player

    name = Path(clip.facts["file"])

    def mp3() -> bytes:
        return Player(load_audio(clip.content(), rate), rate, str(name)).mp3

    return Clip({**clip.facts, "file": str(name.with_suffix(".mp3"))}, mp3)


def write_page(folder: Path, clips: Iterable[Clip]) -> None:
    """Write a static page's files: ``songnet.js``, ``manifest.js`` and ``assets/NAME.js``.

    Parameters
    ----------
    folder : pathlib.Path
        The folder that pages name in ``data-base``.
    clips
        As in `contents`. The networks are those that come with the project.
    """
    shown = contents([_OURS], clips)
    files: dict[str, Callable[[], str]] = {
        "songnet.js": script,
        "manifest.js": shown.manifest_script,
        "LICENSES.txt": functools.partial((_VENDOR / "LICENSES.txt").read_text, encoding="utf-8"),
    }
    for name in shown.assets:
        files[f"assets/{name}.js"] = functools.partial(shown.asset_script, name)
    for name, text in files.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_text(text(), encoding="utf-8")
